"""T08: no URL, redirect, changed name or mixed answer leads to a connection outside the allowed test server.

Two recorders watch: the dialler the guard is given, and an audit hook that sees every connection this process opens. The
control checks URLs before the request only, as many clients do, and must be caught by the same test.
"""

import contextlib
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.fetch import GuardedFetch
from shared.adapters.fetch.deadline import Deadline
from shared.adapters.fetch.guard import Guard, address_allowed, connect_to, refused
from shared.adapters.fetch.redirects import follow
from shared.core.clock import SystemClock
from shared.core.errors import Terminal, Transient, UrlNotAllowed
from shared.ports.fetch import Request, Response
from tests.contract.fetch.raw_site import Page, Site
from tests.faults.fetch.attacks import BAD_URLS, INSIDE, PUBLIC

_PUBLIC = "93.184.216.34"
_WAYS = ("direct", "redirect", "flip", "flip back", "mixed", "mixed last")
_opened: list[tuple[object, ...]] = []
_watching = False


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _watching and event == "socket.connect":
        _opened.append(arguments)


sys.addaudithook(_hook)


@pytest.fixture
def opened() -> Iterator[list[tuple[object, ...]]]:
    """Return the addresses this process connects to while the test runs."""
    global _watching  # noqa: PLW0603 (an audit hook cannot be taken away, only told to look elsewhere)
    _opened.clear()
    _watching = True
    yield _opened
    _watching = False


@dataclass
class Net:
    """A name service that may change its mind, and a dialler that writes down where it was sent.

    Public addresses are answered by the test server; a connection to anything else is refused, but noted.
    """

    site: Site
    names: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    dialled: list[str] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> Sequence[str]:
        """Answer a known name by its script (the last answer stays), anything else only if it is a number."""
        name = host.lower().rstrip(".")
        if name in self.names:
            answers = self.names[name]
            return answers.pop(0) if len(answers) > 1 else answers[0]
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [str(entry[4][0]) for entry in found]

    def connect(self, address: str, port: int, timeout_s: float) -> socket.socket:
        """Connect to the test server for its own and for public addresses, else refuse."""
        self.dialled.append(address)
        if address == "127.0.0.1" and port == self.site.port:
            return connect_to(address, port, timeout_s)
        if port in {80, 443} and address_allowed(address):
            return connect_to("127.0.0.1", self.site.port, timeout_s)
        raise ConnectionRefusedError


class CheckBeforeOnly(GuardedFetch):
    """The control: resolves and checks the URL before the request, then lets the connection resolve for itself."""

    def __init__(self, net: Net) -> None:
        """Take the net."""
        self._net = net
        super().__init__(SystemClock(), _Trusting([net.site.allowed], resolve=net.resolve, connect=net.connect))

    def _prove(self, adapter: object) -> None:
        """Do not notice that the guard is not in force."""

    def send(self, request: Request) -> Response:
        """Check first, then go wherever names and redirects lead."""
        self._guard.check(request.url)
        deadline = Deadline(self._clock, request)
        return follow(request, lambda _: None, lambda hop: self._hop(hop, deadline))


class _Trusting(Guard):
    """Content when one answer is public, before the request; connects to whatever the name says later."""

    def check(self, url: str) -> None:
        super().check(url)
        host = (urlsplit(url).hostname or "").strip("[]")
        if host != "127.0.0.1" and not any(map(address_allowed, self._resolve(host, 80))):
            raise refused("address")

    def connect(self, host: str, port: int, deadline: Deadline) -> socket.socket:
        try:
            return self._connect(self._resolve(host, port)[-1], port, deadline.connect_left())
        except OSError:
            raise Transient("refused", "refused") from None


def _guarded(net: Net) -> GuardedFetch:
    return GuardedFetch(SystemClock(), Guard([net.site.allowed], resolve=net.resolve, connect=net.connect))


def _address(host: str) -> str:
    """Return the address a spelling stands for, to be answered by a name service."""
    plain = host.strip("[]").replace("%25", "%")
    if not plain.isascii() or plain.lower().rstrip(".") in {"localhost", "inside.test"}:
        return "127.0.0.1"
    return str(socket.getaddrinfo(plain.partition("%")[0], 80, flags=socket.AI_NUMERICHOST)[0][4][0])


def _attempt(make: Callable[[Net], GuardedFetch], host: str, way: str) -> Net:
    """Make one attack; return what the net saw."""
    address = _address(host)
    scripts: dict[str, list[Sequence[str]]] = {
        "flip": [[_PUBLIC], [address]],
        "flip back": [[address], [_PUBLIC]],
        "mixed": [[_PUBLIC, address]],
        "mixed last": [[address, _PUBLIC]],
    }
    target = f"http://{host}/" if way in {"direct", "redirect"} else "http://changing.test/"
    with Site.of(Page(302, b"", {"Location": target.encode().decode("latin-1")})) as site:
        net = Net(site, {"localhost": [["127.0.0.1"]], "inside.test": [["127.0.0.1"]]})
        net.names["changing.test"] = scripts.get(way, [[_PUBLIC]])
        url = site.url if way == "redirect" else target
        with contextlib.suppress(UrlNotAllowed, Transient, Terminal):
            make(net).send(Request("GET", url, redirects=3 if way == "redirect" else 0, total_s=3)).close()
    return net


def _escapes(net: Net, way: str) -> list[str]:
    """Return the forbidden addresses dialled; with a redirect the first one is the test server itself."""
    return [
        address
        for position, address in enumerate(net.dialled)
        if not address_allowed(address) and not (way == "redirect" and position == 0)
    ]


_NO_HOSTS = ("a..b", ".a", "x" * 64 + ".test", ".".join(["x" * 60] * 5), "metadata.google.internal", "printer.local")
_NEARLY = (
    "0x08080808",
    "134744072",
    "localhost.example.com",
    "mylocalhost",
    "internal.example",
    "x" * 63 + ".test",
    "a.test.",
)


def _is_refused(guard: Guard, url: str) -> bool:
    try:
        guard.check(url)
    except UrlNotAllowed:
        return True
    return False


@pytest.mark.parametrize("way", _WAYS)
def test_no_spelling_of_an_inside_address_is_ever_dialled(way: str, opened: list[tuple[object, ...]]) -> None:
    nets = {host: _attempt(_guarded, host, way) for host in INSIDE}

    assert {host: _escapes(net, way) for host, net in nets.items() if _escapes(net, way)} == {}
    assert {arguments[1] for arguments in opened} <= {("127.0.0.1", net.site.port) for net in nets.values()}
    print(f"{len(INSIDE)} hosts by way of {way}: {len(opened)} connections, none but to the test server")


@pytest.mark.parametrize("way", ["redirect", "flip", "mixed"])
def test_the_same_check_catches_a_client_that_only_checks_before_the_request(way: str) -> None:
    hosts = INSIDE[::8]
    caught = [host for host in hosts if _escapes(_attempt(CheckBeforeOnly, host, way), way)]

    print(f"control by way of {way}: {len(caught)} of {len(hosts)} hosts dialled")
    assert caught == list(hosts)


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_url_that_breaks_a_rule_is_refused_before_anything_is_resolved(
    url: str, opened: list[tuple[object, ...]]
) -> None:
    with Site.of(Page()) as site:
        net = Net(site)
        with pytest.raises(UrlNotAllowed):
            _guarded(net).send(Request("GET", url))

        assert net.dialled == []
        assert opened == []


def test_every_spelling_that_can_be_seen_is_refused_without_a_connection() -> None:
    guard = Guard(resolve=lambda *_: pytest.fail("a look needs no resolver"))
    unseen = {host for host in INSIDE if not _is_refused(guard, f"http://{host}/")}

    # Digits of other scripts and names that only a resolver knows: refused when the connection is made.
    assert unseen == {"inside.test", *(host for host in INSIDE if not host.isascii())}
    assert all(_is_refused(guard, f"http://{host}/") for host in _NO_HOSTS)
    assert not any(_is_refused(guard, f"http://{host}/") for host in (*_NEARLY, *PUBLIC))


@pytest.mark.parametrize("host", PUBLIC)
def test_a_public_address_is_reached(host: str) -> None:
    with Site.of(Page(200, b"public")) as site:
        net = Net(site, {"public.test": [[_PUBLIC]]})

        assert _guarded(net).send(Request("GET", f"http://{host}/")).read() == b"public"
        assert len(net.dialled) == 1
        assert address_allowed(net.dialled[0])


def test_there_are_at_least_120_addresses() -> None:
    assert len(set(INSIDE)) + len(set(BAD_URLS)) >= 120


def test_a_refusal_names_the_rule_and_not_the_address() -> None:
    with Site.of(Page()) as site:
        net = Net(site, {"secret-name.test": [["10.1.2.3"]]})
        with pytest.raises(UrlNotAllowed) as caught:
            _guarded(net).send(Request("GET", "http://secret-name.test/private-path"))

    assert caught.value.detail == "The address leads to a network that is not public."


def test_an_exception_opens_its_host_and_port_and_no_other() -> None:
    with Site.of(Page(200, b"ok")) as site, Site.of(Page(200, b"other")) as other:
        fetch = GuardedFetch(SystemClock(), Guard([site.allowed]))

        assert fetch.send(Request("GET", site.url)).read() == b"ok"
        with pytest.raises(UrlNotAllowed):
            fetch.send(Request("GET", other.url))
        assert other.connections == 0


def test_in_the_cloud_an_exception_opens_a_port_but_no_private_address() -> None:
    with Site.of(Page(200, b"ok")) as site:
        fetch = GuardedFetch(SystemClock(), Guard([site.allowed], allow_private=False))
        with pytest.raises(UrlNotAllowed):
            fetch.send(Request("GET", site.url))

        net = Net(site, {"public.test": [[_PUBLIC]]})

        def connect(address: str, port: int, timeout_s: float) -> socket.socket:
            net.dialled.append(f"{address}:{port}")
            return connect_to("127.0.0.1", site.port, timeout_s)

        guard = Guard(["public.test:8443"], allow_private=False, resolve=net.resolve, connect=connect)
        assert GuardedFetch(SystemClock(), guard).send(Request("GET", "http://public.test:8443/")).read() == b"ok"
        assert net.dialled == [f"{_PUBLIC}:8443"]


_PRIVATE = st.sampled_from(
    [(0x7F000000, 8), (0x0A000000, 8), (0xAC100000, 12), (0xC0A80000, 16), (0xA9FE0000, 16), (0x64400000, 10)]
)


@given(_PRIVATE, st.integers(0, 2**32 - 1))
def test_no_form_that_carries_a_private_address_is_allowed(network: tuple[int, int], random_bits: int) -> None:
    base, length = network
    inside = base | random_bits & ((1 << 32 - length) - 1)
    forms = [
        str(IPv4Address(inside)),
        str(IPv6Address(0xFFFF << 32 | inside)),
        str(IPv6Address(inside)),
        str(IPv6Address(0x64FF9B << 96 | inside)),
        str(IPv6Address(0x2002 << 112 | inside << 80)),
        str(IPv6Address(0x2001 << 112 | inside << 64)),
    ]

    assert [form for form in forms if address_allowed(form)] == []
