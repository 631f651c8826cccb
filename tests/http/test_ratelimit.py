"""H04: bursts stay within the policy, headers tell the truth, forged addresses and steps of the clock change nothing."""

from typing import Any, cast

import pytest

from shared.core.clock import ManualClock
from shared.core.settings import Settings
from shared.http.origin import client_address, network
from shared.http.ratelimit import COUNTERS, MOST_BUCKETS, Charge, Limits
from shared.ports.documents import Query
from tests.client import Client
from tests.http.builders import Kernel, a_kernel

PATH = "/api/v1/sources/stord"


def burst(client: Client, count: int, path: str = PATH, method: str = "GET") -> list[int]:
    """Send many requests at one moment; return the statuses."""
    return [client.send(method, path).status for _ in range(count)]


def limited(**environment: str) -> Kernel:
    """Serve with the defaults of the contract, or with others."""
    return a_kernel(RATE_LIMIT_IP="100", RATE_LIMIT_USER="600", **cast("Any", environment))


def test_a_burst_of_300_lets_100_pass() -> None:
    statuses = burst(limited().client, 300)

    assert (statuses.count(200), statuses.count(429)) == (100, 200)
    assert statuses[:100] == [200] * 100


def test_what_was_used_comes_back_evenly() -> None:
    kernel = a_kernel(RATE_LIMIT_IP="60")
    burst(kernel.client, 60)

    assert burst(kernel.client, 1) == [429]
    kernel.app.clock.advance(1)
    assert burst(kernel.client, 2) == [200, 429]
    kernel.app.clock.advance(3600)
    assert burst(kernel.client, 61) == [200] * 60 + [429]


def test_headers_tell_the_truth() -> None:
    kernel = limited()
    now = int(kernel.app.clock.now().timestamp())

    first, second = kernel.as_("viewer").get(PATH), kernel.as_("viewer").get(PATH)

    assert first.headers["RateLimit-Policy"] == '"user";q=600;w=60'
    assert first.headers["RateLimit"] == '"user";r=599;t=1'
    assert [second.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")] == [
        "600",
        "598",
        str(now + 1),
    ]


def test_a_refused_caller_is_told_when_to_come_back() -> None:
    kernel = a_kernel(RATE_LIMIT_IP="4")
    burst(kernel.client, 4)

    answer = kernel.client.get(PATH)
    kernel.app.clock.advance(int(answer.headers["Retry-After"]))

    assert (answer.status, answer.problem, answer.headers["Retry-After"]) == (429, "RateLimited", "15")
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert kernel.client.get(PATH).status == 200


def test_users_and_addresses_have_buckets_of_their_own() -> None:
    kernel = a_kernel(RATE_LIMIT_IP="1", RATE_LIMIT_USER="2")
    other = Client(kernel.handle, address="198.51.100.1")

    assert burst(kernel.client, 2) == [200, 429]
    assert burst(other, 2) == [200, 429]
    assert burst(kernel.as_("viewer:one"), 3) == [200, 200, 429]
    assert burst(kernel.as_("viewer:two"), 3) == [200, 200, 429]


def test_bad_credentials_count_towards_the_address() -> None:
    client = a_kernel(RATE_LIMIT_IP="2").client.as_("Bearer nobody")

    assert burst(client, 3, "/api/v1/things") == [401, 401, 429]


def test_the_tightest_policy_is_shown() -> None:
    client = limited(RATE_LIMIT_COSTLY="30").as_("viewer")

    answer = client.post("/api/v1/costly")

    assert answer.headers["RateLimit-Policy"] == '"costly";q=30;w=60'
    assert answer.headers["X-RateLimit-Remaining"] == "29"
    assert client.get(PATH).headers["X-RateLimit-Remaining"] == "598"


def test_health_is_not_limited_and_says_nothing_of_limits() -> None:
    client = a_kernel(RATE_LIMIT_IP="1").client

    assert burst(client, 20, "/health") == [200] * 20
    assert "RateLimit" not in client.get("/health").headers


def test_internal_calls_are_not_limited() -> None:
    client = a_kernel(RATE_LIMIT_IP="1").client.as_("Bearer platform")

    assert burst(client, 20, "/internal/tasks/x", "POST") == [200] * 20


def test_unknown_paths_count_but_are_never_refused_for_it() -> None:
    client = a_kernel(RATE_LIMIT_IP="2").client

    assert burst(client, 5, "/nothing") == [404] * 5
    assert client.get(PATH).status == 429


def test_preflights_cost_nothing() -> None:
    client = a_kernel(RATE_LIMIT_IP="1").client

    assert burst(client, 20, PATH, "OPTIONS") == [204] * 20
    assert client.get(PATH).status == 200


def test_zero_switches_a_policy_off() -> None:
    client = a_kernel().client

    assert burst(client, 300) == [200] * 300
    assert "RateLimit" not in client.get(PATH).headers
    assert "X-RateLimit-Limit" not in client.get(PATH).headers


@pytest.mark.parametrize(
    ("path", "setting", "limit"), [("/api/v1/auth/login", "LOGIN", 10), ("/api/v1/costly", "COSTLY", 30)]
)
def test_costly_policies_count_across_instances(path: str, setting: str, limit: int) -> None:
    one = a_kernel(**cast("Any", {f"RATE_LIMIT_{setting}": str(limit)}))
    two = a_kernel(**cast("Any", {f"RATE_LIMIT_{setting}": str(limit)}))
    two.app.store = one.app.store
    clients = [kernel.as_("viewer") for kernel in (one, two)]

    statuses = [clients[number % 2].post(path).status for number in range(limit + 6)]

    assert statuses == [200] * limit + [429] * 6
    assert len(one.app.store.query(Query(COUNTERS))) == 1


def test_cheap_policies_touch_no_document() -> None:
    kernel = limited()
    burst(kernel.as_("viewer"), 50)

    assert (kernel.app.documents.counts.reads, kernel.app.documents.counts.writes) == (0, 0)


def test_steps_of_the_wall_clock_give_nothing() -> None:
    kernel = a_kernel(RATE_LIMIT_IP="5")
    burst(kernel.client, 5)

    kernel.app.clock._now = kernel.app.clock._now.replace(year=2031)
    assert burst(kernel.client, 5) == [429] * 5
    kernel.app.clock._now = kernel.app.clock._now.replace(year=2021)
    assert burst(kernel.client, 5) == [429] * 5


def test_the_number_of_buckets_is_bounded() -> None:
    limits = Limits(Settings.from_env({"RATE_LIMIT_IP": "5"}), ManualClock(), lambda: a_kernel().app.store)

    for number in range(MOST_BUCKETS + 100):
        limits.take([Charge("ip", str(number))])

    assert len(limits._buckets) == MOST_BUCKETS
    assert Charge("ip", "0") not in limits._buckets


# Addresses


@pytest.mark.parametrize(
    ("forwarded", "hops", "expected"),
    [
        (None, 0, "203.0.113.7"),
        ("1.1.1.1", 0, "203.0.113.7"),
        ("1.1.1.1", 1, "1.1.1.1"),
        ("9.9.9.9, 1.1.1.1", 1, "1.1.1.1"),
        ("9.9.9.9, 1.1.1.1, 10.0.0.1", 2, "1.1.1.1"),
        ("1.1.1.1", 2, "203.0.113.7"),
        ("1.1.1.1, not an address", 1, "203.0.113.7"),
        ("", 1, "203.0.113.7"),
        (",,,", 1, "203.0.113.7"),
        ("1.1.1.1:4711", 1, "1.1.1.1"),
        ("[2001:db8::1]:4711", 1, "2001:db8::1"),
        ("2001:db8::1", 1, "2001:db8::1"),
        ("fe80::1%eth0", 1, "fe80::1"),
        ("0x7f.1", 1, "203.0.113.7"),
    ],
)
def test_the_address_is_counted_from_the_right(forwarded: str | None, hops: int, expected: str) -> None:
    assert client_address("203.0.113.7", forwarded, hops) == expected


def test_without_any_address_there_is_one_bucket_for_all() -> None:
    assert client_address(None, "nonsense", 1) == "unknown"
    assert client_address("", None, 0) == "unknown"


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("1.1.1.1", "1.1.1.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:1.1.1.1", "1.1.1.1"),
        ("unknown", "unknown"),
    ],
)
def test_one_ipv6_client_has_one_bucket(address: str, counted: str) -> None:
    assert network(address) == counted


def forge(kernel: Kernel, count: int) -> int:
    """Claim another address at the left of the header with each request; return how many pass."""
    headers = ({"X-Forwarded-For": f"10.9.8.{number}, 203.0.113.7"} for number in range(count))
    return [kernel.client.get(PATH, headers=each).status for each in headers].count(200)


def test_a_forged_header_is_useless() -> None:
    assert forge(a_kernel(RATE_LIMIT_IP="10", TRUSTED_PROXY_HOPS="1"), 50) == 10


def test_control_trusting_the_leftmost_address_lets_all_pass() -> None:
    assert forge(a_kernel(RATE_LIMIT_IP="10", TRUSTED_PROXY_HOPS="2"), 50) == 50
