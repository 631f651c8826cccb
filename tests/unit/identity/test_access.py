"""The gate: Bearer, the Basic pair, open reading, and the platform's own calls."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.adapters.jose import Ed25519Private, RsaPublic
from shared.adapters.oidc import Answer, GoogleKeys
from shared.core.caller import Role
from shared.core.clock import ManualClock
from shared.core.errors import Forbidden, Transient, Unauthenticated, Unavailable
from shared.identity.access import Access, BasicPair
from shared.identity.keys import KeyRing
from shared.identity.oidc import InternalTokens, Invokers, LocalInvoker
from tests.unit.identity.builders import PAIR, House, encoded, raw_token

CLOCK = ManualClock()
NOW = int(CLOCK.now().timestamp())
AUDIENCE = "https://worker-abc.a.run.app"
INVOKER = "invoker@project.iam.gserviceaccount.com"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
LOCAL_KEY = Ed25519Private.generate()
CLAIMS: dict[str, Any] = {
    "iss": "https://accounts.google.com",
    "aud": AUDIENCE,
    "sub": "1234567890",
    "email": INVOKER,
    "email_verified": True,
    "iat": NOW,
    "exp": NOW + 3600,
}


def number(value: int) -> str:
    """Write a number as JSON Web Keys do."""
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


PUBLIC = RSA.public_key().public_numbers()
JWK = {"kty": "RSA", "kid": "google-1", "use": "sig", "alg": "RS256", "n": number(PUBLIC.n), "e": number(PUBLIC.e)}


def google_token(header: dict[str, Any] | None = None, **changes: Any) -> str:
    """Sign like Google, with changed claims (None removes one)."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    head = {"alg": "RS256", "kid": "google-1", "typ": "JWT"} | (header or {})
    body = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    signed = f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(body).encode())}"
    return f"{signed}.{encoded(RSA.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def an_access(keys: Callable[[], KeyRing] | None = None) -> Access:
    """Return a gate that knows Google's key above."""
    ring = KeyRing([RsaPublic(JWK)])
    invokers = Invokers(AUDIENCE, frozenset({INVOKER}))
    checked = InternalTokens(keys or (lambda: ring), invokers, CLOCK)
    return Access(House().tokens, internal=lambda: checked)


def basic(text: str) -> str:
    """Write a Basic header."""
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("header", [None, "", "   "])
def test_nothing_is_missing(header: str | None) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        House().access.authenticate(header)

    assert refusal.value.errors[0].code == "missing"
    assert refusal.value.headers == {"WWW-Authenticate": 'Bearer realm="onhand", Basic realm="onhand"'}


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "bearer a b", "Digest x", "token", "Bearer\u00a0x", "Basic"])
def test_other_credentials_are_invalid(header: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        House().access.authenticate(header)

    assert refusal.value.errors[0].code == "invalid"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "  bEaReR  "])
def test_the_scheme_word_has_no_case(scheme: str) -> None:
    house = House()
    house.a_user()

    assert house.access.authenticate(f"{scheme} {house.a_session().access_token}").username == "ada@example.com"


def test_exactly_the_basic_pair_is_let_in() -> None:
    caller = House().access.authenticate(PAIR.header().replace("Basic", "BASIC"))

    assert (caller.user_id, caller.username, caller.role, caller.scheme) == ("basic", "feed", Role.OPERATOR, "basic")


@pytest.mark.parametrize(
    "header",
    [
        basic("feed:"),
        basic("feed"),
        basic(":" + PAIR.password),
        basic("FEED:" + PAIR.password),
        basic(f"feed:{PAIR.password} "),
        basic(f"feed:{PAIR.password}:"),
        basic("ada@example.com:a perfectly fine passphrase"),
        "Basic !!!",
        "Basic " + base64.b64encode(b"feed:\xff").decode(),
        "Basic ",
    ],
)
def test_another_pair_is_refused(header: str) -> None:
    house = House()
    house.a_user()

    with pytest.raises(Unauthenticated) as refusal:
        house.access.authenticate(header)

    assert refusal.value.errors[0].code == "invalid"


def test_a_password_with_colons_works() -> None:
    pair = BasicPair("feed", "a:b:c", Role.VIEWER)

    assert Access(House().tokens, basic=pair).authenticate(pair.header()).role is Role.VIEWER


def test_without_a_pair_no_basic_is_accepted_or_offered() -> None:
    with pytest.raises(Unauthenticated) as refusal:
        Access(House().tokens).authenticate(PAIR.header())

    assert refusal.value.headers["WWW-Authenticate"] == 'Bearer realm="onhand", error="invalid_token"'


def test_open_reading_needs_no_credentials_but_refuses_bad_ones() -> None:
    access = Access(House().tokens, open_read=True)

    assert access.authenticate(None, reading=True).role is Role.VIEWER
    for header, reading in ((None, False), ("Bearer x", True), ("Bearer x", False)):
        with pytest.raises(Unauthenticated):
            access.authenticate(header, reading=reading)


def test_the_platform_is_let_in() -> None:
    caller = an_access().verify_internal(f"Bearer {google_token()}")

    assert (caller.scheme, caller.role, caller.username) == ("internal", None, INVOKER)


FORGED = {
    "another audience": google_token(aud="https://other.a.run.app"),
    "a list of audiences": google_token(aud=[AUDIENCE]),
    "another issuer": google_token(iss="https://evil.example"),
    "email not verified": google_token(email_verified=False),
    "email verified by text": google_token(email_verified="true"),
    "no email": google_token(email=None),
    "expired": google_token(iat=NOW - 3700, exp=NOW - 30),
    "exp as text": google_token(exp=str(NOW + 60)),
    "no exp": google_token(exp=None),
    "issued in the future": google_token(iat=NOW + 60),
    "unknown kid": google_token({"kid": "google-2"}),
    "jku": google_token({"jku": "https://evil.example"}),
    "an access token's typ": google_token({"typ": "at+jwt"}),
    "EdDSA by name": google_token({"alg": "EdDSA"}),
    "a changed signature": google_token()[:-4] + "AAAA",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_internal_token_is_refused(name: str) -> None:
    with pytest.raises(Unauthenticated):
        an_access().verify_internal(f"Bearer {FORGED[name]}")


def test_another_account_of_the_platform_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        an_access().verify_internal(f"Bearer {google_token(email='other@project.iam.gserviceaccount.com')}")


def test_users_cannot_make_internal_calls_and_the_platform_is_no_user() -> None:
    house = House()
    house.a_user()
    access = an_access()

    for header in (None, f"Bearer {house.a_session().access_token}", PAIR.header()):
        with pytest.raises(Unauthenticated):
            access.verify_internal(header)
    with pytest.raises(Unauthenticated):
        access.authenticate(f"Bearer {google_token()}")


def test_a_function_without_internal_routes_accepts_no_internal_call() -> None:
    with pytest.raises(Unauthenticated):
        House().access.verify_internal(f"Bearer {google_token()}")


def test_locally_a_key_made_at_start_signs_for_the_queue() -> None:
    queue = LocalInvoker(LOCAL_KEY, "http://127.0.0.1:8080", CLOCK)
    access = Access(House().tokens, internal=queue.verifier)

    assert access.verify_internal(f"Bearer {queue.token()}").scheme == "internal"
    stranger = LocalInvoker(Ed25519Private.generate(), "http://127.0.0.1:8080", CLOCK)
    with pytest.raises(Unauthenticated):
        access.verify_internal(f"Bearer {stranger.token()}")


def test_googles_keys_are_fetched_once_until_they_expire() -> None:
    asked: list[str] = []
    clock = ManualClock()

    def get(url: str) -> Answer:
        asked.append(url)
        return Answer(200, {"cache-control": "public, max-age=600"}, json.dumps({"keys": [JWK]}).encode())

    keys = GoogleKeys(clock, get)

    rings = [keys(), keys()]
    clock.advance(599)
    rings.append(keys())
    clock.advance(1)
    rings.append(keys())

    assert asked == ["https://www.googleapis.com/oauth2/v3/certs"] * 2
    assert [ring is rings[0] for ring in rings] == [True, True, True, False]


@pytest.mark.parametrize(
    "answer",
    [Answer(500, {}, b""), Answer(200, {}, b"<html>"), Answer(200, {}, b'{"keys": []}'), Answer(200, {}, b"[]")],
)
def test_an_outage_of_googles_keys_is_503_and_never_401(answer: Answer) -> None:
    keys = GoogleKeys(CLOCK, lambda _: answer)

    with pytest.raises(Transient):
        keys()
    with pytest.raises(Unavailable):
        an_access(keys).verify_internal(f"Bearer {google_token()}")


def test_a_short_rsa_key_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2,048"):
        RsaPublic(JWK | {"n": number(PUBLIC.n >> 1100)})


def test_a_token_of_the_right_key_but_the_wrong_algorithm_is_refused() -> None:
    ring = KeyRing([LOCAL_KEY.public])
    token = raw_token(LOCAL_KEY, {"alg": "RS256", "kid": LOCAL_KEY.public.kid}, CLAIMS)

    with pytest.raises(Unauthenticated):
        an_access(lambda: ring).verify_internal(f"Bearer {token}")
