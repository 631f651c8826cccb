"""T04: forged access tokens. The control is the bare library call, which lets some of them in."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from shared.adapters.jose import Ed25519Private
from shared.core.caller import Caller, Role
from shared.core.clock import ManualClock
from shared.core.errors import Transient, Unauthenticated, Unavailable
from shared.identity.keys import KeyRing
from shared.identity.oidc import LocalInvoker
from shared.identity.tokens import AccessTokens, Realm, TokenMint
from tests.unit.identity.builders import House, encoded, raw_token

# Far ahead of every real clock, because the bare library reads the machine's.
CLOCK = ManualClock(datetime(2090, 1, 15, 10, 30, tzinfo=UTC))
NOW = int(CLOCK.now().timestamp())
HOUSE = House(clock=CLOCK)
KEY, OTHER = HOUSE.key, Ed25519Private.generate()
ADA = Caller("usr_ada", "ada", Role.MANAGER, "bearer", "store_1", "West")
HEADER = {"alg": "EdDSA", "typ": "at+jwt", "kid": KEY.public.kid}
CLAIMS: dict[str, Any] = {
    "iss": "onhand",
    "aud": "onhand-api",
    "sub": "usr_ada",
    "username": "ada",
    "role": "manager",
    "typ": "access",
    "iat": NOW,
    "exp": NOW + 900,
    "jti": "tok_1",
}


def claims(**changes: Any) -> str:
    """Sign good claims with changes; None removes a claim."""
    return raw_token(KEY, HEADER, {k: v for k, v in (CLAIMS | changes).items() if v is not None})


def claims_text(name: str, text: str) -> str:
    """Sign good claims with one written as that JSON text."""
    return raw_token(KEY, HEADER, json.dumps(CLAIMS | {name: "@@"}).replace('"@@"', text))


def headed(**changes: Any) -> str:
    """Sign good claims under a changed header; None removes a key."""
    return raw_token(KEY, {k: v for k, v in (HEADER | changes).items() if v is not None}, CLAIMS)


GOOD = claims()
HEAD, BODY, SIGNATURE = GOOD.split(".")


def hs256_with_the_public_key() -> str:
    """Confuse the algorithms: the public key as a shared secret."""
    secret = KEY.public._raw
    return jwt.encode(CLAIMS, secret, algorithm="HS256", headers={"typ": "at+jwt", "kid": KEY.public.kid})


FORGED: dict[str, str] = {
    "algorithm none": f"{encoded(json.dumps(HEADER | {'alg': 'none'}).encode())}.{BODY}.",
    "algorithm none with signature": headed(alg="none"),
    "HS256 with the public key": hs256_with_the_public_key(),
    "RS256 by name": headed(alg="RS256"),
    "no algorithm": headed(alg=None),
    "no exp": claims(exp=None),
    "exp null": claims_text("exp", "null"),
    "exp NaN": claims_text("exp", "NaN"),
    "exp infinite": claims_text("exp", "Infinity"),
    "exp as text": claims(exp=str(NOW + 900)),
    "exp 1e308": claims_text("exp", "1e308"),
    "exp with a fraction": claims(exp=NOW + 900.5),
    "exp true": claims(exp=True),
    "exp of 5,000 digits": claims_text("exp", "9" * 5000),
    "exp and iat far away": claims(iat=10**18, exp=10**18 + 900),
    "no iat": claims(iat=None),
    "iat as text": claims(iat=str(NOW)),
    "iat in the future": claims(iat=NOW + 31, exp=NOW + 900),
    "a life of 901 seconds": claims(exp=NOW + 901),
    "exp before iat": claims(iat=NOW, exp=NOW - 1),
    "expired": claims(iat=NOW - 930, exp=NOW - 30),
    "nbf in the future": claims(nbf=NOW + 31),
    "another audience": claims(aud="other-api"),
    "a list of audiences": claims(aud=["onhand-api", "other-api"]),
    "no audience": claims(aud=None),
    "another issuer": claims(iss="other"),
    "no issuer": claims(iss=None),
    "issuer as a list": claims(iss=["onhand"]),
    "sub a number": claims(sub=7),
    "sub empty": claims(sub=""),
    "no sub": claims(sub=None),
    "sub twice": raw_token(KEY, HEADER, json.dumps(CLAIMS)[:-1] + ', "sub": "usr_admin"}'),
    "alg twice in the header": raw_token(KEY, json.dumps(HEADER)[:-1] + ', "alg": "EdDSA"}', CLAIMS),
    "typ JWT": headed(typ="JWT"),
    "no typ": headed(typ=None),
    "a refresh token": claims(typ="refresh"),
    "no kind": claims(typ=None),
    "no username": claims(username=None),
    "no role": claims(role=None),
    "an unknown role": claims(role="owner"),
    "a list of roles": claims(role=["admin"]),
    "no jti": claims(jti=None),
    "a scope that is no text": claims(store_id=7),
    "unknown kid": headed(kid="another"),
    "kid a path": headed(kid="../../keys/1"),
    "kid a list": headed(kid=[KEY.public.kid]),
    "no kid": headed(kid=None),
    "jku": headed(jku="https://evil.example/keys"),
    "x5u": headed(x5u="https://evil.example/cert"),
    "jwk with its own key": raw_token(OTHER, HEADER | {"jwk": OTHER.public.jwk()}, CLAIMS),
    "crit": headed(crit=["exp"], exp=1),
    "unencoded payload": headed(b64=False),
    "signed by another deployment": raw_token(OTHER, HEADER, CLAIMS),
    "another deployment's token": raw_token(OTHER, HEADER | {"kid": OTHER.public.kid}, CLAIMS),
    "over 8 KiB": claims(note="x" * 8192),
    "a megabyte": claims(note="x" * 2**20),
    "nested 2,000 deep": claims_text("note", "[" * 2000 + "]" * 2000),
    "claims no object": raw_token(KEY, HEADER, "[1]"),
    "claims not UTF-8": raw_token(KEY, HEADER, json.dumps(CLAIMS).encode()[:-1] + b', "x": "\xff"}'),
    "header no JSON": raw_token(KEY, "alg", CLAIMS),
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GOOD}.{SIGNATURE}",
    "padded": f"{HEAD}.{BODY}.{SIGNATURE}==",
    "a second spelling of the signature": GOOD[:-1] + ("R" if GOOD[-1] == "Q" else "B" if GOOD[-1] == "A" else "x"),
    "a blank inside": f"{HEAD}. {BODY}.{SIGNATURE}",
    "not ASCII": f"{HEAD}.{BODY}.{SIGNATURE[:-1]}\u0660",
    "no signature": f"{HEAD}.{BODY}.",
    "claims changed after signing": f"{HEAD}.{encoded(json.dumps(CLAIMS | {'role': 'admin'}).encode())}.{SIGNATURE}",
    "an opaque refresh token": HOUSE.ids.token(),
    "empty": "",
    "an internal call's token": LocalInvoker(KEY, "onhand-api", CLOCK).token(),
}

# The library reads the machine's clock, for which these two are not over yet.
OVER_ON_OUR_CLOCK_ONLY = {"expired", "exp before iat"}
LET_IN_BY_THE_LIBRARY = OVER_ON_OUR_CLOCK_ONLY | {
    "no exp",
    "exp 1e308",
    "no sub",
    "padded",
    "exp as text",
    "exp with a fraction",
    "exp and iat far away",
    "no iat",
    "iat as text",
    "iat in the future",
    "a life of 901 seconds",
    "nbf in the future",
    "a list of audiences",
    "sub empty",
    "sub twice",
    "alg twice in the header",
    "typ JWT",
    "no typ",
    "a refresh token",
    "no kind",
    "no username",
    "no role",
    "an unknown role",
    "a list of roles",
    "no jti",
    "a scope that is no text",
    "unknown kid",
    "kid a path",
    "no kid",
    "jku",
    "x5u",
    "over 8 KiB",
    "a megabyte",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused(name: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        HOUSE.access.authenticate(f"Bearer {FORGED[name]}")

    assert refusal.value.errors[0].code == ("expired" if name == "expired" else "invalid")
    assert 'error="invalid_token"' in refusal.value.headers["WWW-Authenticate"]


def test_the_bare_library_call_lets_some_of_them_in() -> None:
    assert {name for name, token in FORGED.items() if _library_accepts(token)} == LET_IN_BY_THE_LIBRARY


def test_a_good_token_says_who_it_is_without_reading_a_document() -> None:
    token = HOUSE.identity.mint.mint(ADA)
    HOUSE.documents.counts.reset()

    assert HOUSE.tokens.verify(token) == ADA
    assert HOUSE.documents.counts.reads == 0


def test_a_token_has_exactly_the_promised_header_and_claims() -> None:
    token = HOUSE.identity.mint.mint(Caller("usr_1", "ada", Role.VIEWER))

    header, body = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})

    assert header == HEADER
    assert body == CLAIMS | {"sub": "usr_1", "role": "viewer", "jti": body["jti"]}
    assert {type(body["iat"]), type(body["exp"])} == {int}


def test_a_token_lives_for_fifteen_minutes_and_thirty_seconds_of_skew() -> None:
    house = House()
    token = house.identity.mint.mint(ADA)
    house.clock.advance(929)
    assert house.tokens.verify(token) == ADA

    house.clock.advance(1)

    with pytest.raises(Unauthenticated) as refusal:
        house.tokens.verify(token)
    assert refusal.value.errors[0].code == "expired"


def test_a_clock_that_is_half_a_minute_behind_is_tolerated() -> None:
    assert HOUSE.tokens.verify(claims(iat=NOW + 30, exp=NOW + 900)).user_id == "usr_ada"


def test_at_most_4096_tokens_are_remembered() -> None:
    tokens, mint = _counting(KEY)

    for _ in range(4100):
        tokens.verify(mint.mint(ADA))

    assert len(tokens._known) == 4096


def test_a_remembered_token_skips_only_the_signature() -> None:
    key = _Counted(KEY)
    ring = KeyRing([key])
    tokens = AccessTokens(lambda: ring, Realm(), CLOCK)

    callers = {tokens.verify(GOOD) for _ in range(5)}

    assert (len(callers), key.checked) == (1, 1)


def test_a_removed_key_ends_its_tokens_at_once() -> None:
    rings = [KeyRing([KEY.public]), KeyRing([OTHER.public])]
    tokens = AccessTokens(lambda: rings[0], Realm(), CLOCK)
    tokens.verify(GOOD)

    rings.pop(0)

    with pytest.raises(Unauthenticated):
        tokens.verify(GOOD)


def test_the_previous_key_is_good_during_a_rotation() -> None:
    ring = KeyRing([OTHER.public, KEY.public])

    assert AccessTokens(lambda: ring, Realm(), CLOCK).verify(GOOD).username == "ada"


def test_an_outage_of_the_keys_is_no_refusal() -> None:
    def outage() -> KeyRing:
        raise Transient("keys", "down")

    with pytest.raises(Unavailable):
        AccessTokens(outage, Realm(), CLOCK).verify(GOOD)


@pytest.mark.parametrize("make", [lambda: Caller("usr_1", "ada", None)])
def test_nobody_without_a_role_gets_a_token(make: Callable[[], Caller]) -> None:
    with pytest.raises(ValueError, match="role"):
        HOUSE.identity.mint.mint(make())


def test_keys_are_not_in_what_is_printed() -> None:
    shown = f"{HOUSE.identity!r} {HOUSE.identity.mint!r} {KEY!r} {vars(HOUSE.access)!r}"

    assert KEY.pem().splitlines()[1] not in shown
    assert HOUSE.policy.basic is not None
    assert HOUSE.policy.basic.password not in shown


class _Counted:
    """A public key that counts how often it was asked."""

    def __init__(self, key: Ed25519Private) -> None:
        self._key = key.public
        self.kid, self.algorithm, self.checked = key.public.kid, key.public.algorithm, 0

    def verifies(self, token: str) -> bool:
        self.checked += 1
        return self._key.verifies(token)

    def jwk(self) -> dict[str, str]:
        return self._key.jwk()


class _Gullible(_Counted):
    """A public key that believes everything, to fill the memory quickly."""

    def verifies(self, token: str) -> bool:
        return True


def _counting(key: Ed25519Private) -> tuple[AccessTokens, TokenMint]:
    ring = KeyRing([_Gullible(key)])
    return AccessTokens(lambda: ring, Realm(), CLOCK), TokenMint(lambda: key, Realm(), CLOCK, HOUSE.ids)


def _library_accepts(token: str) -> bool:
    try:
        jwt.decode(
            token,
            KEY.public._key,
            algorithms=["EdDSA"],
            audience="onhand-api",
            issuer="onhand",
            options={"verify_iat": False, "verify_nbf": False},
        )
    except (jwt.PyJWTError, RecursionError, ValueError):
        return False
    return True
