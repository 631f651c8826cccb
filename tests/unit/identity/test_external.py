"""Tokens of another issuer: what is accepted, who its bearer becomes, and what is refused."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.adapters.jose.keys import SharedSecret, read_jwks
from shared.core.caller import Role
from shared.core.errors import Transient, Unauthenticated, Unavailable
from shared.identity.external import ExternalTokens, ExternalUsers, Issuer
from shared.identity.keys import KeyRing
from tests.unit.identity.builders import House

SECRET = "a shared secret of thirty-two bytes or more"
ISSUER = "https://auth.example.com"


def claims(house: House, **changes: Any) -> dict[str, Any]:
    """Return claims as such issuers write them; None removes one."""
    now = int(house.clock.now().timestamp())
    given = {
        "iss": ISSUER,
        "aud": "authenticated",
        "sub": "f3c1",
        "email": "eva@example.com",
        "iat": now,
        "exp": now + 3600,
        "app_metadata": {"role": "manager"},
    }
    return {name: value for name, value in (given | changes).items() if value is not None}


def a_check(house: House, **others: Any) -> ExternalTokens:
    """Return the check of an issuer that signs with the secret."""
    given: dict[str, Any] = {"secret": SharedSecret(SECRET), "keys": None} | others
    return ExternalTokens(Issuer(ISSUER, "authenticated"), ExternalUsers(house.users), house.clock, **given)


def signed(house: House, secret: str = SECRET, **changes: Any) -> str:
    """Sign claims as the issuer would."""
    return jwt.encode(claims(house, **changes), secret, algorithm="HS256")


def test_a_proven_token_makes_its_bearer_a_user_once() -> None:
    house = House()
    check = a_check(house)

    caller = check.verify(signed(house))
    again = a_check(house).verify(signed(house, jti="another"))

    assert caller == again
    assert (caller.role, caller.username, caller.scheme) == (Role.MANAGER, "eva@example.com", "external")
    assert house.users.get(caller.user_id).data["email"] == "eva@example.com"
    assert house.users.account("eva@example.com").hash is None


def test_a_remembered_token_reads_nothing() -> None:
    house = House()
    check, token = a_check(house), signed(House(clock=house.clock))
    check.verify(token)
    before = house.documents.counts.reads

    check.verify(token)

    assert house.documents.counts.reads == before


def test_an_email_of_a_stored_user_is_not_taken_over() -> None:
    house = House()
    ada = house.a_user("eva@example.com")

    caller = a_check(house).verify(signed(house))

    assert caller.user_id != ada.id
    assert house.users.get(caller.user_id).data["email"] is None
    assert house.users.account("eva@example.com").user is not None
    assert house.identity.known("eva@example.com") == ada.id


def test_a_new_role_is_taken_over_and_no_role_is_a_viewer() -> None:
    house = House()
    check = a_check(house)
    first = check.verify(signed(house))

    second = check.verify(signed(house, app_metadata=None))

    assert [first.role, second.role] == [Role.MANAGER, Role.VIEWER]
    assert house.users.get(second.user_id).data["role"] == "viewer"


def test_a_deactivated_account_stays_outside() -> None:
    house = House()
    caller = a_check(house).verify(signed(house))
    house.users.change(caller.user_id, lambda _: {"is_active": False})

    with pytest.raises(Unauthenticated) as refusal:
        a_check(house).verify(signed(house, jti="new"))

    assert refusal.value.errors[0].code == "invalid"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example.com"},
        {"iss": None},
        {"aud": "anon"},
        {"aud": ["anon"]},
        {"aud": None},
        {"exp": None},
        {"exp": "4102444800"},
        {"exp": 1e308},
        {"iat": 4_000_000_000},
        {"nbf": 4_000_000_000},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
    ],
)
def test_other_claims_are_refused_and_make_nobody(changes: dict[str, Any]) -> None:
    house = House()
    payload = json.dumps(claims(house, **changes)).encode()
    token = jwt.api_jws.encode(payload, SECRET, algorithm="HS256", headers={"typ": "JWT"})

    with pytest.raises(Unauthenticated) as refusal:
        a_check(house).verify(token)

    assert refusal.value.errors[0].code == "invalid"
    assert house.users.is_empty()


def test_other_signatures_are_refused() -> None:
    house = House()
    none = jwt.encode(claims(house), "", algorithm="none")
    wrong = signed(house, secret="another secret of thirty-two bytes or more")

    for token in (none, wrong, "a.b.c", "x"):
        with pytest.raises(Unauthenticated):
            a_check(house).verify(token)
    with pytest.raises(Unauthenticated):
        a_check(house, secret=None).verify(signed(house))


def test_an_expired_token_says_so() -> None:
    house = House()
    token = signed(house)
    check = a_check(house)
    check.verify(token)
    house.clock.advance(3600 + 31)

    for checking in (check, a_check(house)):
        with pytest.raises(Unauthenticated) as refusal:
            checking.verify(token)
        assert refusal.value.errors[0].code == "expired"


@pytest.mark.parametrize("kind", ["RS256", "ES256"])
def test_published_keys_prove_tokens(kind: str) -> None:
    house = House()
    private: Any = rsa.generate_private_key(65537, 2048) if kind == "RS256" else ec.generate_private_key(ec.SECP256R1())
    algorithm = jwt.get_algorithm_by_name(kind)
    jwk = json.loads(algorithm.to_jwk(private.public_key())) | {"kid": "one", "use": "sig", "alg": kind}
    ring = KeyRing(read_jwks(json.dumps({"keys": [jwk]})))
    token = jwt.encode(claims(house, aud=["authenticated", "x"]), private, algorithm=kind, headers={"kid": "one"})

    assert a_check(house, secret=None, keys=lambda: ring).verify(token).role is Role.MANAGER
    assert ring.jwks()["keys"][0]["kid"] == "one"
    with pytest.raises(Unauthenticated):  # the public key is no shared secret
        a_check(house, secret=None, keys=lambda: ring).verify(signed(house))


def test_an_outage_of_the_keys_is_503() -> None:
    house = House()

    def down() -> KeyRing:
        raise Transient("oidc_keys", "down")

    token = jwt.encode(claims(house), SECRET * 2, algorithm="HS512", headers={"kid": "one"})
    with pytest.raises(Unavailable):
        a_check(house, keys=down).verify(token)
