"""What only sockets can show: resets, drips, cut bodies, kept connections, names under TLS."""

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.adapters.fetch import GuardedFetch, connections
from shared.adapters.fetch.guard import Guard, connect_to
from shared.core.clock import SystemClock
from shared.core.errors import Terminal, Transient, UrlNotAllowed
from shared.ports.fetch import Request
from tests.contract.fetch.raw_site import Exchange, Page, Site, page_bytes

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"


def _fetch(site: Site) -> GuardedFetch:
    return GuardedFetch(SystemClock(), Guard([site.allowed]))


def _quick(url: str, total_s: float = 5.0) -> Request:
    return Request("GET", url, connect_s=1.0, read_s=0.3, total_s=total_s)


def _failure(site: Site, request: Request) -> Transient:
    with pytest.raises(Transient) as caught:
        _fetch(site).send(request).read()
    return caught.value


def test_nobody_listening_is_refused() -> None:
    with Site.of(Page()) as site:
        pass

    assert _failure(site, _quick(site.url)).code == "refused"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda exchange: exchange.reset(), "connection_lost"),
        (lambda exchange: exchange.sock.close(), "connection_lost"),
        (lambda exchange: exchange.send(b"this is no HTTP\r\n\r\n"), "connection_lost"),
        (lambda exchange: exchange.send(_HEAD + b"half"), "truncated"),
        (lambda exchange: (exchange.send(_HEAD + b"half"), exchange.reset()), "truncated"),
        (lambda exchange: exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"), "truncated"),
        (
            lambda exchange: exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
            "truncated",
        ),
        (
            lambda exchange: exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"),
            "truncated",
        ),
        (lambda exchange: exchange.gone.wait(2), "timeout"),
        (lambda exchange: (exchange.send(_HEAD + b"half"), exchange.gone.wait(2)), "timeout"),
    ],
)
def test_every_way_a_connection_breaks_is_named_and_may_be_tried_again(
    answer: Callable[[Exchange], object], code: str
) -> None:
    def broken(exchange: Exchange) -> bool:
        answer(exchange)
        return False

    with Site(broken) as site:
        assert _failure(site, _quick(site.url)).code == code


@pytest.mark.parametrize(
    "drip",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 50,
        _HEAD + b"x" * 99,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 99,
    ],
    ids=["headers", "body", "chunk length"],
)
def test_a_drip_ends_with_the_budget_of_the_whole_call(drip: bytes) -> None:
    clock = SystemClock()
    with Site(lambda exchange: exchange.drip(drip, 0.05)) as site:
        started = clock.monotonic()

        assert _failure(site, _quick(site.url, total_s=0.5)).code == "timeout"
        assert clock.monotonic() - started < 2.0


def test_the_budget_of_the_whole_call_spans_redirects() -> None:
    def answer(exchange: Exchange) -> bool:
        exchange.gone.wait(0.2)
        exchange.send(page_bytes(Page(302, b"", {"Location": "/again"})))
        return True

    with Site(answer) as site:
        request = Request("GET", site.url, redirects=3, read_s=1.0, total_s=0.5)

        assert _failure(site, request).code == "timeout"


def test_chunks_are_put_together() -> None:
    body = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with Site(lambda exchange: exchange.send(body)) as site:
        assert _fetch(site).send(_quick(site.url)).read() == b"abcde"


def test_a_connection_is_kept_and_used_again() -> None:
    with Site.of(Page(200, b"ok")) as site:
        fetch = _fetch(site)
        answers = [fetch.send(Request("GET", site.url)).read() for _ in range(5)]

        assert answers == [b"ok"] * 5
        assert site.connections == 1


def test_a_kept_connection_that_the_other_side_has_closed_is_replaced() -> None:
    def answer(exchange: Exchange) -> bool:
        exchange.send(page_bytes(Page(200, b"ok")))
        return False

    with Site(answer) as site:
        fetch = _fetch(site)
        assert fetch.send(Request("GET", site.url)).read() == b"ok"
        for thread in site._threads[1:]:
            thread.join(5)

        assert fetch.send(Request("GET", site.url)).read() == b"ok"
        assert site.connections == 2


def test_threads_share_one_client() -> None:
    with Site(lambda exchange: exchange.send(page_bytes(Page(200, exchange.target.encode())))) as site:
        fetch = _fetch(site)
        wrong: list[bytes] = []

        def call(worker: int) -> None:
            for number in range(10):
                body = fetch.send(Request("GET", f"{site.url}/{worker}-{number}")).read()
                if body != f"/{worker}-{number}".encode():
                    wrong.append(body)

        threads = [threading.Thread(target=call, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

        assert wrong == []
        assert len(site.requests) == 80


def test_cookies_proxies_and_netrc_of_the_environment_play_no_part(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password something")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Site.of(Page(200, b"ok", {"Set-Cookie": "a=b; Path=/"})) as site:
        fetch = _fetch(site)
        for _ in range(2):
            fetch.send(Request("GET", site.url)).read()

        assert [
            name for request in site.requests for name in request.headers if name in {"cookie", "authorization"}
        ] == []


def test_the_host_header_keeps_the_name_while_the_socket_goes_to_the_vetted_address() -> None:
    dialled: list[tuple[str, int]] = []
    with Site.of(Page(200, b"ok")) as site:

        def connect(address: str, port: int, timeout_s: float) -> socket.socket:
            dialled.append((address, port))
            return connect_to("127.0.0.1", site.port, timeout_s)

        guard = Guard(resolve=lambda *_: ["93.184.216.34"], connect=connect)
        body = GuardedFetch(SystemClock(), guard).send(Request("GET", "http://vendor.test/x")).read()

        assert body == b"ok"
        assert dialled == [("93.184.216.34", 80)]
        assert site.requests[0].headers["host"] == "vendor.test"


def test_the_next_vetted_address_is_tried_when_one_does_not_answer() -> None:
    with Site.of(Page(200, b"ok")) as site:

        def connect(address: str, port: int, timeout_s: float) -> socket.socket:
            if address == "93.184.216.34":
                raise ConnectionRefusedError
            return connect_to("127.0.0.1", site.port, timeout_s)

        guard = Guard(resolve=lambda *_: ["93.184.216.34", "93.184.216.35"], connect=connect)

        assert GuardedFetch(SystemClock(), guard).send(Request("GET", "http://vendor.test/")).read() == b"ok"


@pytest.mark.parametrize(("host", "works"), [("vendor.test", True), ("other.test", False)])
def test_tls_is_checked_against_the_name_not_the_address(tmp_path: Path, host: str, works: bool) -> None:
    certificate = _certificate(tmp_path, "vendor.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)

    with Site(
        lambda exchange: exchange.send(page_bytes(Page(200, b"ok"))),
        lambda sock: context.wrap_socket(sock, server_side=True),
    ) as site:
        guard = Guard(
            resolve=lambda *_: ["93.184.216.34"], connect=lambda _, __, wait: connect_to("127.0.0.1", site.port, wait)
        )
        fetch = GuardedFetch(SystemClock(), guard, ca_file=str(certificate))
        if works:
            assert fetch.send(Request("GET", f"https://{host}/")).read() == b"ok"
        else:
            with pytest.raises(Transient) as caught:
                fetch.send(Request("GET", f"https://{host}/"))
            assert caught.value.code == "tls"

    assert asked == [host]


def test_https_is_never_left_for_http(tmp_path: Path) -> None:
    certificate = _certificate(tmp_path, "vendor.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    redirect = page_bytes(Page(302, b"", {"Location": "http://vendor.test/"}))
    with Site(
        lambda exchange: exchange.send(redirect), lambda sock: context.wrap_socket(sock, server_side=True)
    ) as site:
        guard = Guard(
            resolve=lambda *_: ["93.184.216.34"], connect=lambda _, __, wait: connect_to("127.0.0.1", site.port, wait)
        )
        fetch = GuardedFetch(SystemClock(), guard, ca_file=str(certificate))

        with pytest.raises(UrlNotAllowed, match="from https to http"):
            fetch.send(Request("GET", "https://vendor.test/", redirects=3))


def test_a_redirect_to_another_origin_takes_no_header_along_that_could_be_secret() -> None:
    with Site.of(Page(200, b"ok")) as other, Site.of(Page(302, b"", {"Location": f"{other.url}/x"})) as site:
        fetch = GuardedFetch(SystemClock(), Guard([site.allowed, other.allowed]))
        headers = {"Authorization": "Bearer t", "X-Api-Key": "k", "Cookie": "c=1", "User-Agent": "onhand/test"}
        fetch.send(Request("GET", site.url, headers, redirects=1)).read()

        assert other.requests[0].headers.keys() == {"host", "user-agent", "accept-encoding", "accept", "connection"} - {
            "connection"
        }
        assert other.requests[0].headers["user-agent"] == "onhand/test"


def test_the_self_test_passes_when_connections_come_from_the_guard() -> None:
    GuardedFetch(SystemClock()).self_test()


def test_the_self_test_refuses_to_start_when_they_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    stock = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
    monkeypatch.setattr(connections, "guarded_pools", lambda _: stock)
    fetch = GuardedFetch(SystemClock())

    with pytest.raises(RuntimeError, match="guard is not in force"):
        fetch.self_test()
    with pytest.raises(RuntimeError, match="guard is not in force"):
        fetch.send(Request("GET", "http://vendor.test/"))


def test_a_name_that_does_not_resolve_may_resolve_later() -> None:
    def nothing(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(Transient) as caught:
        GuardedFetch(SystemClock(), Guard(resolve=nothing)).send(Request("GET", "http://vendor.test/"))

    assert caught.value.code == "dns"


def test_a_body_beyond_the_bound_is_not_downloaded() -> None:
    with Site.of(Page(200, b"x" * 5_000_000)) as site:
        with pytest.raises(Terminal) as caught:
            _fetch(site).send(Request("GET", site.url, max_bytes=1000)).read()

        assert caught.value.code == "too_large"


def _certificate(folder: Path, name: str) -> Path:
    """Make a self-signed certificate for a name, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2099, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + built.public_bytes(serialization.Encoding.PEM))
    return path
