"""T04 through each function: forged access tokens on a guarded route, and the tokens of one kind of route on the other kind."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jwt
import pytest

from local.bundle import function_names
from shared.core.caller import Caller, Role
from shared.http.router import Operation
from shared.http.serve import serve
from shared.identity.tokens import Realm
from tests.client import Client
from tests.http.product import an_app, tokens
from tests.unit.identity.test_tokens import CLOCK, FORGED, HOUSE

FUNCTIONS = tuple(function_names())


class Guarded(NamedTuple):
    """One route of a function that asks for a caller, as a client sends to it."""

    function: str
    method: str
    path: str
    internal: bool


def guarded(function: str) -> Guarded | None:
    """Return a route of a function that is not public; None where there is none."""
    operations: list[Operation] = importlib.import_module(f"functions.{function}.routes").router.operations
    for each in sorted(operations, key=lambda one: one.method != "GET"):
        if each.access != "public":
            path = each.paths[0]
            for name in each.arguments:
                path = path.replace(f"{{{name}}}", "stord" if name == "source" else "unknown-id")
            return Guarded(function, each.method, path, each.access == "internal")
    return None


GUARDED = [found for found in map(guarded, FUNCTIONS) if found is not None]


class House:
    """The product with the keys of the forged tokens' deployment, and a client for each function."""

    def __init__(self, folder: Path) -> None:
        self.app: Any = an_app(folder)
        self.app.identity.seed_demo_users("demo-password-1")
        vars(self.app)["clock"] = CLOCK
        vars(self.app)["signing_key"] = HOUSE.key
        for name in FUNCTIONS:
            importlib.import_module(f"functions.{name}.routes")
        self.api = tokens(self.app)["admin"]
        self.call = self.app.local_invoker.token()

    def client(self, function: str) -> Client:
        """Return a client of one function alone, as the cloud serves it."""
        return Client(serve([importlib.import_module(f"functions.{function}.routes").router], lambda: self.app))


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return a product on the forgers' clock."""
    return House(tmp_path)


def answers(house: House, token: str, *, internal: bool) -> Iterator[tuple[str, int, str]]:
    """Send a token to the guarded route of each function of a kind; yield the function, the status and the challenge."""
    for each in GUARDED:
        if each.internal is internal:
            client = house.client(each.function).as_(f"Bearer {token}")
            answer = client.send(each.method, each.path, {} if each.method != "GET" else b"")
            yield each.function, answer.status, answer.headers.get("WWW-Authenticate", "")


def sendable(token: str) -> str:
    """Return a token as a server would pass it on: latin-1."""
    return token.encode().decode("latin-1")


def test_each_function_but_the_public_ones_is_tried() -> None:
    assert {each.function for each in GUARDED} == set(FUNCTIONS)
    assert [each.function for each in GUARDED if each.internal] == ["worker"]


@pytest.mark.parametrize("internal", [False, True])
def test_each_function_refuses_each_forged_token(house: House, *, internal: bool) -> None:
    seen = [
        (name, function, status)
        for name, token in FORGED.items()
        for function, status, _ in answers(house, sendable(token), internal=internal)
    ]

    print(f"{len(FORGED)} tokens, {len(seen)} calls")
    assert [each for each in seen if each[2] != 401] == []
    assert len(seen) == len(FORGED) * sum(each.internal is internal for each in GUARDED)


def test_an_internal_calls_token_opens_no_api_and_an_access_token_no_worker(house: House) -> None:
    crossed = [*answers(house, house.call, internal=False), *answers(house, house.api, internal=True)]

    assert {(status, 'error="invalid_token"' in challenge) for _, status, challenge in crossed} == {(401, True)}
    assert len(crossed) == len(GUARDED)


def test_the_right_tokens_open_each_function(house: House) -> None:
    opened = [*answers(house, house.api, internal=False), *answers(house, house.call, internal=True)]

    assert {function for function, status, _ in opened if status in {401, 403}} == set()


def bare(token: str) -> dict[str, Any]:
    """Return the claims as the library's call alone believes them."""
    found: dict[str, Any] = jwt.decode(
        token,
        HOUSE.key.public._key,
        algorithms=["EdDSA"],
        audience=Realm().audience,
        issuer=Realm().issuer,
        options={"verify_iat": False, "verify_nbf": False},
    )
    return found


class BareLibrary:
    """The broken variant: whoever has claims that the library believes is the admin."""

    def __init__(self, admin_id: str) -> None:
        self._admin_id = admin_id

    def authenticate(self, header: str | None, *, reading: bool = False) -> Caller:
        """Ask the library."""
        assert bare((header or "").removeprefix("Bearer "))
        return Caller(self._admin_id, "somebody", Role.ADMIN)


def test_control_the_bare_library_call_opens_every_function(house: House) -> None:
    vars(house.app)["access"] = BareLibrary(bare(house.api)["sub"])

    seen = list(answers(house, FORGED["a refresh token"], internal=False))

    assert {function for function, status, _ in seen if status != 401} == {function for function, *_ in seen}
