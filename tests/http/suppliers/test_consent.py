"""Consent at AliExpress: asked for, given, renewed by one worker at a time, and asked for again when it has ended."""

import threading
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.core.caller import Caller, Role
from shared.core.errors import Terminal
from shared.ports.documents import Create, Key, Query
from shared.suppliers.port import NEEDS_CONSENT, Renewal
from shared.suppliers.tokens import RENEWALS, SharedTokens
from tests.client import Client
from tests.http.inventory.builders import ok
from tests.http.suppliers.market import Market

APPLICATION = {"app_key": "demo-aliexpress-app", "app_secret": "demo-aliexpress-secret"}
LANDING = "https://shop.example/aliexpress"
MINUTE, DAY = 60.0, 86_400.0


def asked(market: Market, **more: Any) -> dict[str, Any]:
    """Ask for a consent."""
    body = {"redirect_uri": LANDING, "additional_config": APPLICATION, **more}
    made: dict[str, Any] = ok(market.manager().post("/api/v1/suppliers/consent", body))
    return made


def consented(market: Market, consent: Mapping[str, Any]) -> dict[str, str]:
    """Follow the address as a browser does; return what the landing page is given."""
    address = urlsplit(consent["authorize_url"])
    browser = HTTPConnection("127.0.0.1", market.aliexpress.port, timeout=10)
    browser.request("GET", f"{address.path}?{address.query}")
    answer = browser.getresponse()
    browser.close()
    assert answer.status == 302
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


def completed(market: Market, told: Mapping[str, str]) -> Any:
    """Hand back what the landing page was given."""
    return market.manager().post("/api/v1/suppliers/consent/callback", {"state": told["state"], "code": told["code"]})


def supplier_of(market: Market, supplier_id: str) -> dict[str, Any]:
    """Return a connection as shown."""
    shown: dict[str, Any] = ok(market.manager().get(f"/api/v1/suppliers/{supplier_id}"))
    return shown


def alerts(market: Market) -> list[tuple[str, str]]:
    """Return what alerts about connections say of themselves."""
    items = ok(market.manager().get("/api/v1/alerts", limit=100))["items"]
    return [(one["subject"], one["status"]) for one in items if "supplier-connection" in one["dedupe_key"]]


def renewals(market: Market) -> int:
    """Count the calls that ask AliExpress for renewed tokens."""
    return sum("token/refresh" in str(entry) for entry in market.aliexpress.journal.entries())


def checked(market: Market, supplier: Mapping[str, Any]) -> None:
    """Ask AliExpress with a connection as a worker opens it."""
    held = market.shop.app.suppliers
    held.source(held.get(supplier["id"])).check()


def connections(market: Market) -> int:
    """Count the connections."""
    return market.shop.app.store.count(Query("suppliers"))


def test_a_consent_makes_a_connection_that_works(market: Market) -> None:
    consent = asked(market, name="Our AliExpress")
    parts = urlsplit(consent["authorize_url"])
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}

    made = ok(completed(market, consented(market, consent)), 201)
    run = market.sync(made, limit=2)

    assert (parts.path, query["client_id"], query["redirect_uri"]) == (
        "/oauth/authorize",
        "demo-aliexpress-app",
        LANDING,
    )
    assert (query["response_type"], query["force_auth"], query["state"]) == ("code", "true", consent["state"])
    assert (made["name"], made["status"], made["needs"]) == ("Our AliExpress", "connected", None)
    assert "demo-aliexpress-secret" not in str(market.shop.app.store.query(Query("suppliers")))
    assert run["status"] == "succeeded"


def test_a_state_is_good_once_for_its_own_user_and_for_a_quarter_of_an_hour(market: Market) -> None:
    first, second, third = (consented(market, asked(market)) for _ in range(3))

    given = {"state": first["state"], "code": first["code"]}
    other = Client(market.shop.handle).as_(f"Bearer {market.shop.mint.mint(Caller('usr_other', 'other', Role.ADMIN))}")
    foreign = other.post("/api/v1/suppliers/consent/callback", given)
    ok(completed(market, first), 201)
    again = completed(market, first)
    made_up = completed(market, {**second, "state": "made-up"})
    market.shop.clock.advance(16 * MINUTE)
    late = completed(market, third)

    assert [one.status for one in (foreign, again, made_up, late)] == [422] * 4
    assert again.json["errors"][0]["pointer"] == "/state"
    assert connections(market) == 1
    assert second["state"] not in str(market.shop.app.store.query(Query("supplier_consents")))


def test_a_code_that_is_refused_stores_nothing_and_leaves_the_state_good(market: Market) -> None:
    told = consented(market, asked(market))

    refused = completed(market, {**told, "code": "0_made-up"})
    market.aliexpress.add_fault("http_503", None, 0, "/rest/auth/token/create")
    unanswered = completed(market, told)
    stored = connections(market)
    market.aliexpress.clear_faults()
    accepted = completed(market, told)

    assert (refused.status, refused.json["error"]) == (422, "Credentials rejected")
    assert (unanswered.status, unanswered.json["error"]) == (502, "Upstream failed")
    assert (stored, accepted.status) == (0, 201)


@pytest.mark.parametrize(
    "body",
    [
        {"redirect_uri": "http://shop.example/x", "additional_config": APPLICATION},
        {"redirect_uri": "https://shop.example/x#part", "additional_config": APPLICATION},
        {"redirect_uri": "javascript:alert(1)", "additional_config": APPLICATION},
        {"redirect_uri": LANDING},
        {"redirect_uri": LANDING, "additional_config": APPLICATION, "supplier_type": "bigbuy"},
    ],
)
def test_a_consent_that_cannot_be_asked_for_is_refused(market: Market, body: dict[str, Any]) -> None:
    assert market.manager().post("/api/v1/suppliers/consent", body).status == 422
    assert market.shop.app.store.count(Query("supplier_consents")) == 0


def test_only_connections_that_ask_for_consent_are_consented_to(market: Market) -> None:
    bigbuy = market.connect("bigbuy")

    answers = [
        market.manager().post("/api/v1/suppliers/consent", {"redirect_uri": LANDING, "supplier_id": one})
        for one in (bigbuy["id"], "sup_none")
    ]

    assert [one.status for one in answers] == [409, 404]


def test_an_ended_refresh_token_asks_for_consent_once_and_a_consent_brings_the_connection_back(market: Market) -> None:
    supplier = market.connect("aliexpress")
    market.aliexpress.revoke_token()

    runs = [market.sync(supplier, "stock"), market.sync(supplier, limit=2)]
    asking, told = supplier_of(market, supplier["id"]), alerts(market)
    again = ok(completed(market, consented(market, asked(market, supplier_id=supplier["id"]))))
    run = market.sync(supplier, limit=2)

    assert [one["status"] for one in runs] == ["failed", "failed"]
    assert (asking["status"], asking["needs"]) == ("error", "consent")
    assert told == [(supplier["id"], "active")]
    assert (again["id"], again["status"], again["needs"], again["last_error"]) == (
        supplier["id"],
        "connected",
        None,
        None,
    )
    assert (run["status"], alerts(market)) == ("succeeded", [(supplier["id"], "resolved")])
    assert connections(market) == 1


def test_a_token_is_renewed_half_an_hour_before_it_ends(market: Market) -> None:
    supplier = ok(completed(market, consented(market, asked(market))), 201)
    market.shop.clock.advance(30 * DAY - 31 * MINUTE)
    checked(market, supplier)
    before = renewals(market)
    market.shop.clock.advance(2 * MINUTE)
    checked(market, supplier)

    assert (before, renewals(market)) == (0, 1)
    assert supplier_of(market, supplier["id"])["needs"] is None


def test_tokens_that_are_the_last_ask_for_consent_while_they_still_work(market: Market) -> None:
    supplier = market.connect("aliexpress")
    market.aliexpress.switch(renewal="last")
    market.aliexpress.end_token()

    run = market.sync(supplier, limit=2)
    shown = supplier_of(market, supplier["id"])

    assert (run["status"], shown["status"], shown["needs"]) == ("succeeded", "connected", "consent")
    assert alerts(market) == [(supplier["id"], "active")]


def test_a_refusal_to_renew_ahead_does_not_stop_a_token_that_is_still_good(market: Market) -> None:
    supplier = ok(completed(market, consented(market, asked(market))), 201)
    market.shop.clock.advance(30 * DAY - 20 * MINUTE)
    market.aliexpress.switch(consent="ended")

    checked(market, supplier)
    shown = supplier_of(market, supplier["id"])

    assert (shown["status"], shown["needs"], alerts(market)) == ("connected", "consent", [(supplier["id"], "active")])


def test_an_answer_without_a_refresh_token_leaves_the_old_one(market: Market) -> None:
    supplier = market.connect("aliexpress")
    market.aliexpress.switch(renewal="without_refresh")
    market.aliexpress.end_token()

    checked(market, supplier)
    kept = market.shop.app.suppliers.kept_tokens(supplier["id"])

    assert (kept["api_key"], kept["refresh_token"]) == ("demo-aliexpress-key-1", "demo-aliexpress-refresh")


def test_a_connection_made_with_an_ended_token_keeps_what_was_renewed_for_it(market: Market) -> None:
    market.aliexpress.end_token()

    supplier = market.connect("aliexpress")
    checked(market, supplier)

    assert (supplier["credential_hint"], renewals(market)) == ("ey-1", 1)


def test_a_wrong_token_in_a_patch_is_not_covered_up_by_the_one_that_is_kept(market: Market) -> None:
    supplier = market.connect("aliexpress")
    path = f"/api/v1/suppliers/{supplier['id']}"
    bad = {"additional_config": {"access_token": "wrong", "refresh_token": "wrong"}}

    refused = market.manager().patch(path, bad)
    renewed = market.manager().patch(path, {"additional_config": {"access_token": "wrong"}})

    assert (refused.status, refused.json["error"]) == (422, "Credentials rejected")
    assert (renewed.status, supplier_of(market, supplier["id"])["credential_hint"]) == (200, "ey-1")
    checked(market, supplier)


@pytest.mark.parametrize("option", [{"token_param": "access_token"}, {"system_base": "sync"}])
def test_what_documents_and_clients_say_differently_is_an_option(market: Market, option: dict[str, str]) -> None:
    market.aliexpress.end_token()
    further = {**APPLICATION, "refresh_token": "demo-aliexpress-refresh", **option}

    made = market.connect("aliexpress", additional_config=further)

    assert (made["status"], made["config"]) == ("connected", option)


# Two workers


def workers(market: Market, supplier_id: str, count: int = 2) -> list[SharedTokens]:
    """Return the tokens as several workers see them."""
    app = market.shop.app
    return [SharedTokens(app.store, app.clock, app.ids, app.suppliers, supplier_id) for _ in range(count)]


def test_a_worker_that_comes_while_another_renews_waits_for_what_that_brings(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    supplier = market.connect("aliexpress")
    first, second = workers(market, supplier["id"])
    used, asks = "demo-aliexpress-key", []
    begun, go_on = threading.Event(), threading.Event()

    def renew() -> Renewal:
        asks.append(1)
        begun.set()
        assert go_on.wait(10)
        return Renewal({"api_key": "fresh", "refresh_token": "fresh-too"})

    found: list[Any] = []
    slow = threading.Thread(target=lambda: found.append(first.renewed(used, renew)["api_key"]))
    slow.start()
    assert begun.wait(10)
    waiting = threading.Thread(target=lambda: found.append(second.renewed(used, renew)["api_key"]))
    original = market.shop.clock.sleep

    def sleep(seconds: float) -> None:
        go_on.set()
        slow.join(10)
        original(seconds)

    monkeypatch.setattr(market.shop.clock, "sleep", sleep)
    waiting.start()
    for one in (slow, waiting):
        one.join(10)

    assert (found, asks) == (["fresh", "fresh"], [1])


def test_a_worker_whose_renewal_is_refused_takes_what_another_brought_meanwhile(market: Market) -> None:
    supplier = market.connect("aliexpress")
    (worker,) = workers(market, supplier["id"], 1)

    def refused() -> Renewal:
        market.shop.app.suppliers.keep_tokens(supplier["id"], Renewal({"api_key": "from elsewhere"}))
        raise Terminal(NEEDS_CONSENT, "used up")

    assert worker.renewed("demo-aliexpress-key", refused)["api_key"] == "from elsewhere"
    assert alerts(market) == []


def test_a_lease_of_a_worker_that_died_is_taken_over(market: Market) -> None:
    supplier = market.connect("aliexpress")
    (worker,) = workers(market, supplier["id"], 1)
    store = market.shop.app.store
    dead = {"holder": "gone", "until": "2000-01-01T00:00:00.000Z"}
    store.write([Create(Key(RENEWALS, supplier["id"]), dead)])

    fresh = worker.renewed("demo-aliexpress-key", lambda: Renewal({"api_key": "fresh"}))

    assert fresh["api_key"] == "fresh"
    assert store.get(Key(RENEWALS, supplier["id"])) is None
