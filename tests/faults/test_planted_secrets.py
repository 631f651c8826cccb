"""T09: planted secrets appear in nothing that the product writes, whatever goes right or wrong.

One installation is driven through every area: sign-in, accounts, keys, suppliers, syncs, refreshes, alerts, imports, content, every
route with bad bodies, and every list and export. Searched are all answers (but the one that hands a secret to its owner), all log
lines, the database (its files, and every document with kept answers unpacked), the warehouse, and what objects show of themselves.
"""

import base64
import io
import logging
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from local.gateway import routers
from local.simulators import AliExpress, BigBuy, Options
from shared.app import App
from shared.core.clock import ManualClock
from shared.core.errors import Terminal
from shared.core.log import JsonFormatter
from shared.core.settings import Settings
from shared.http.openapi import document
from shared.http.serve import serve
from shared.ports.documents import Create, Key, Query
from tests.client import Answered, Client
from tests.http.builders import UNLIMITED
from tests.http.settling import settle

NOWHERE = "http://127.0.0.1:9"
WHSEC = base64.b64encode(b"planted-webhook-secret-of-32-byte").decode()
SETTINGS = {
    "BASIC_AUTH_PASSWORD": "planted-basic-91b2",
    "JWT_SECRET": "planted-jwt-secret-of-at-least-32-bytes-77aa",
    "ENCRYPTION_KEY": base64.b64encode(b"planted-encryption-key-32-bytes!").decode(),
    "SHIPBOB_API_TOKEN": "planted-shipbob-token-5c1d",
    "SHIPBOB_WEBHOOK_SECRET": f"whsec_{WHSEC}",
    "STORD_API_TOKEN": "planted-stord-token-8e0f",
    "STORD_WEBHOOK_SECRET": f"whsec_{WHSEC[::-1].strip('=')}==",
    "BIGBUY_API_KEY": "demo-bigbuy-key",
    "ALIEXPRESS_API_KEY": "demo-aliexpress-key",
    "ALIEXPRESS_APP_SECRET": "demo-aliexpress-secret",
    "AI_API_KEY": "planted-ai-key-0a3b",
    "FIRECRAWL_API_KEY": "planted-firecrawl-6f7e",
    "BARCODE_LOOKUP_KEY": "planted-barcode-2d4c",
    "SMTP_URL": "smtp://mailer:planted-smtp-password-3e@127.0.0.1:9",
    "ALERT_WEBHOOK_SECRET": "planted-alert-webhook-4b5a",
    "METRICS_TOKEN": "planted-metrics-token-9c8d",
    "DEMO_PASSWORD": "planted-demo-password-1f",
}
GIVEN = {
    "password": "planted user password 1",
    "new password": "planted user password 2",
    "reset password": "planted user password 3",
    "wrong password": "planted wrong password 4",
    "short": "pl4ntd!",
    "supplier key": "planted-supplier-key-a1",
    "access token": "planted-access-token-b2",
    "refresh token": "demo-aliexpress-refresh",
    "bearer": "planted-bearer-c3",
}
"""What users send; with the settings, and the tokens that are issued on the way, what must never be found."""


class Watched:
    """One installation, everything it has answered and logged, and what is to be found nowhere."""

    def __init__(self, folder: Path, market: dict[str, str], log: io.StringIO) -> None:
        self.folder, self.log, self.answers = folder, log, list[Answered]()
        self.environment = {**UNLIMITED, **SETTINGS, **market, "DATA_DIR": str(folder)} | ADDRESSES
        self.environment |= {"STORE_URL": f"sqlite:///{folder}/onhand.db"}
        self.environment |= {"WAREHOUSE_URL": f"duckdb:///{folder}/warehouse.duckdb"}
        self.app: Any = App(Settings.from_env(self.environment), ManualClock())
        self.app.identity.seed_demo_users(SETTINGS["DEMO_PASSWORD"])
        self.secrets = {**SETTINGS, **GIVEN}
        self.secrets["SMTP_URL"] = "planted-smtp-password-3e"
        self.client = Client(serve(routers(), lambda: self.app))

    def call(self, method: str, path: str, body: Any = b"", who: Client | None = None, **headers: str) -> Answered:
        """Send a request and keep its answer for the search."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = (who or self.client).send(method, path, body, headers=sent)
        self.answers.append(answer)
        return answer

    def handed(self, path: str, body: Any, who: Client | None = None) -> dict[str, Any]:
        """Ask for what an owner is shown once, which is no leak; its secrets join those to be found nowhere."""
        answer = (who or self.client).post(path, body)
        assert answer.status in {200, 201}, answer
        told: dict[str, Any] = answer.json
        for name in ("access_token", "refresh_token", "key"):
            if name in told:
                self.secrets[f"{name} {len(self.secrets)}"] = told[name].rpartition(".")[2]
        return told

    def signed_in(self, name: str, password: str) -> Client:
        """Return a client of a user."""
        pair = self.handed("/api/v1/auth/login", {"username": name, "password": password})
        return self.client.as_(f"Bearer {pair['access_token']}")

    def found(self) -> list[tuple[str, str]]:
        """Return where which secret is found."""
        self.app.close()
        texts = {"log": self.log.getvalue(), **dict(self._stored()), **self._shown()}
        texts |= {f"answer {number}": _told(answer) for number, answer in enumerate(self.answers)}
        return [(place, name) for place, text in texts.items() for name in _within(text, self.secrets)]

    def _stored(self) -> Iterator[tuple[str, str]]:
        import sqlite3

        import duckdb

        for path in sorted(self.folder.iterdir()):
            if path.is_file() and path.suffix not in {".pem", ".key"}:
                yield path.name, path.read_bytes().decode("latin-1")
        with sqlite3.connect(self.folder / "onhand.db") as database:
            for table in [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]:
                for number, row in enumerate(database.execute(f"SELECT * FROM {table}")):  # noqa: S608 - names of our tables
                    yield f"{table} {number}", " ".join(_unpacked(cell) for cell in row)
        with duckdb.connect(str(self.folder / "warehouse.duckdb")) as warehouse:
            for (name,) in warehouse.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                rows = warehouse.execute(f'SELECT to_json(t)::VARCHAR FROM "{name}" t').fetchall()  # noqa: S608
                yield f"warehouse {name}", repr(rows)

    def _shown(self) -> dict[str, str]:
        parts = {name: repr(part) for name, part in vars(self.app).items()}
        return {f"repr {name}": text for name, text in parts.items()} | {"repr settings": str(self.app.settings)}


ADDRESSES = {
    "SHIPBOB_BASE_URL": NOWHERE,
    "STORD_BASE_URL": NOWHERE,
    "AI_BASE_URL": NOWHERE,
    "AI_MODEL": "m",
    "BARCODE_LOOKUP_URL": f"{NOWHERE}/{{code}}",
    "ALERT_WEBHOOK_URL": NOWHERE,
    "MAIL_FROM": "onhand@onhand.local",
    "STORD_ORG_ID": "o",
    "STORD_NETWORK_ID": "n",
    "BASIC_AUTH_USERNAME": "feed",
    "EXTERNAL_ISSUER": "https://issuer.example",
    "ALIEXPRESS_APP_KEY": "demo-aliexpress-app",
}


def _told(answer: Answered) -> str:
    return f"{answer.headers} {answer.body.decode('utf-8', 'replace')}"


def _unpacked(cell: object) -> str:
    """Return a cell as text; kept answers are compressed."""
    if not isinstance(cell, bytes):
        return str(cell)
    try:
        return zlib.decompress(cell).decode("utf-8", "replace")
    except zlib.error:
        return cell.decode("utf-8", "replace")


def _within(text: str, secrets: dict[str, str]) -> list[str]:
    spellings = {name: (value, base64.b64encode(value.encode()).decode()) for name, value in secrets.items()}
    return [name for name, words in spellings.items() if any(word in text for word in words)]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Give the log of the process as an entry point sets it up, at its most talkative; put the old one back."""
    root = logging.getLogger()
    before, level, stream = root.handlers[:], root.level, io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(Settings.from_env({**SETTINGS, **ADDRESSES}).secrets()))
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
def watched(tmp_path: Path, log: io.StringIO) -> Iterator[Watched]:
    """Give an installation between two simulated suppliers."""
    clock, few = ManualClock(), Options(size=5)
    with BigBuy(clock, few) as bigbuy, AliExpress(clock, few) as aliexpress:
        hosts = f"127.0.0.1:{bigbuy.port},127.0.0.1:{aliexpress.port}"
        market = {"BIGBUY_BASE_URL": bigbuy.origin, "ALIEXPRESS_BASE_URL": aliexpress.origin}
        yield Watched(tmp_path, {**market, "FETCH_ALLOW_HOSTS": hosts}, log)


def sign_in_in_every_way(house: Watched) -> Client:
    """Use every way in, rightly and wrongly; return an admin."""
    admin = house.signed_in("admin", SETTINGS["DEMO_PASSWORD"])
    body = {"email": "one@onhand.local", "password": GIVEN["password"]}
    house.call("POST", "/api/v1/auth/register", body)
    house.call("POST", "/api/v1/auth/register", body | {"password": GIVEN["short"]})
    one = house.signed_in("one@onhand.local", GIVEN["password"])
    change = {"current_password": GIVEN["password"], "new_password": GIVEN["new password"]}
    house.call("PUT", "/api/v1/auth/me/password", change | {"current_password": GIVEN["wrong password"]}, one)
    house.call("PUT", "/api/v1/auth/me/password", change, one)
    house.handed("/api/v1/auth/keys", {"name": "key", "scopes": ["catalog:read"]}, one)
    user = house.call("GET", "/api/v1/auth/me", who=one).json["id"]
    reset, key = {"new_password": GIVEN["reset password"]}, {"Idempotency_Key": "reset"}
    house.call("PUT", f"/api/v1/users/{user}/password", reset, admin, **key)
    house.call("PUT", f"/api/v1/users/{user}/password", reset, admin, **key)
    wrong = {"username": "one@onhand.local", "password": GIVEN["wrong password"]}
    for path in ("/api/v1/auth/login", "/token"):
        house.call("POST", path, wrong)
    house.call("POST", f"/ecommerce/v1/login_user?email=one@onhand.local&password={GIVEN['wrong password']}")
    house.call("POST", "/api/v1/auth/login", f'{{"password": "{GIVEN["wrong password"]}", '.encode())
    house.call("POST", "/api/v1/auth/refresh", {"refresh_token": GIVEN["bearer"]})
    basic = base64.b64encode(f"feed:{SETTINGS['BASIC_AUTH_PASSWORD']}".encode()).decode()
    for credentials in (
        f"Basic {basic}",
        f"Bearer {GIVEN['bearer']}",
        f"Bearer {SETTINGS['METRICS_TOKEN']}",
        GIVEN["bearer"],
    ):
        house.call("GET", "/api/v1/auth/me", Authorization=credentials)
        house.call("GET", "/metrics", Authorization=credentials)
    return admin


def work(house: Watched, admin: Client) -> None:
    """Connect suppliers, rightly and wrongly, and let jobs of every kind run against answers and against nothing."""
    further = {"app_key": "demo-aliexpress-app", "app_secret": SETTINGS["ALIEXPRESS_APP_SECRET"]}
    config = {**further, "refresh_token": GIVEN["refresh token"]}
    house.call(
        "POST", "/api/v1/suppliers/connect", {"supplier_type": "bigbuy", "api_key": SETTINGS["BIGBUY_API_KEY"]}, admin
    )
    ali = {"supplier_type": "aliexpress", "api_key": SETTINGS["ALIEXPRESS_API_KEY"], "additional_config": config}
    house.call("POST", "/api/v1/suppliers/connect", ali, admin, Idempotency_Key="ali")
    for wrong in (GIVEN["supplier key"], f"{GIVEN['supplier key']}\u00ae"):
        body = {
            "supplier_type": "bigbuy",
            "api_key": wrong,
            "additional_config": {"access_token": GIVEN["access token"]},
        }
        house.call("POST", "/api/v1/suppliers/connect", body, admin)
    connected = house.call("GET", "/api/v1/suppliers", who=admin).json["items"]
    assert len(connected) == 2
    for supplier in connected:
        house.call("PATCH", f"/api/v1/suppliers/{supplier['id']}", {"api_key": GIVEN["supplier key"]}, admin)
        house.call("POST", "/api/v1/suppliers/sync", {"supplier_id": supplier["id"], "sync_type": "products"}, admin)
    for path in ("/api/v1/refresh", "/api/v1/predictions/train-all", "/api/trigger-refresh"):
        house.call("POST", path, {}, admin)
    house.call("POST", "/api/v1/ai/generate-content", {"product_id": "x", "content_types": ["title"]}, admin)
    house.call("GET", "/api/v1/barcode/lookup/4006381333931", who=admin)
    house.call("POST", "/api/v1/oos/sku-stock", {"skus": ["A"]}, admin)
    for _ in range(3):
        settle(house.app)
        cast("ManualClock", house.app.clock).advance(700)


def ask_everything(house: Watched, admin_password: str) -> None:
    """Call every route, with what is planted where a body or a query may be."""
    admin = house.signed_in("admin", admin_password)
    bad = {"password": GIVEN["wrong password"], "api_key": GIVEN["supplier key"], "unknown": True}
    for path, place in document(routers())["paths"].items():
        real = path.replace("{source}", "stord")
        for method in place:
            house.call(method.upper(), real, b"" if method == "get" else bad, admin, X_Api_Key=GIVEN["bearer"])


def session(house: Watched) -> None:
    """Do all of it."""
    work(house, sign_in_in_every_way(house))
    ask_everything(house, SETTINGS["DEMO_PASSWORD"])


def test_no_planted_secret_is_found_in_anything_that_is_written(watched: Watched) -> None:
    session(watched)

    found = watched.found()

    print(
        f"{len(watched.secrets)} secrets, {len(watched.answers)} answers, {len(watched.log.getvalue())} characters of log"
    )
    assert len(watched.secrets) >= 25
    assert len(watched.log.getvalue().splitlines()) >= len(watched.answers)
    assert found == []


def test_control_what_leaks_is_found_where_it_leaks(watched: Watched) -> None:
    token, key = SETTINGS["SHIPBOB_API_TOKEN"], GIVEN["supplier key"]
    logging.getLogger("onhand.test").error("the supplier refused %s", key)
    watched.app.store.write([Create(Key("jobs", "job_leak"), {"error": f"401 for {token}"})])
    watched.answers.append(watched.client.post(f"/api/v1/{token}"))
    vars(watched.app)["careless"] = {"token": token}

    found = watched.found()

    assert ("log", "supplier key") in found
    assert ("repr careless", "SHIPBOB_API_TOKEN") in found
    places = {place.split()[0] for place, name in found if name == "SHIPBOB_API_TOKEN"}
    print(places)
    assert {place.split()[0] for place, name in found if name == "SHIPBOB_API_TOKEN"} > {"answer", "onhand.db", "repr"}


def test_known_secrets_are_cut_out_of_logs_and_traces(log: io.StringIO) -> None:
    refused = Terminal("x", f"refused {SETTINGS['STORD_API_TOKEN']}")

    logging.getLogger("onhand.test").error("it went wrong", exc_info=refused)

    assert "Terminal: refused" in log.getvalue()
    assert SETTINGS["STORD_API_TOKEN"] not in log.getvalue()


def test_what_is_sealed_differs_with_each_write_and_opens_only_at_its_place(watched: Watched) -> None:
    admin = watched.signed_in("admin", SETTINGS["DEMO_PASSWORD"])
    for _ in range(2):
        body = {"supplier_type": "bigbuy", "api_key": SETTINGS["BIGBUY_API_KEY"]}
        assert watched.call("POST", "/api/v1/suppliers/connect", body, admin).status == 201
    first, second = watched.app.store.walk(Query("suppliers"))
    place = f"supplier-credential:{first.key.id}"

    assert first.data["sealed"] != second.data["sealed"]
    assert SETTINGS["BIGBUY_API_KEY"].encode() in watched.app.secrets.open(first.data["sealed"], place=place)
    with pytest.raises(Terminal, match="open"):
        watched.app.secrets.open(second.data["sealed"], place=place)
