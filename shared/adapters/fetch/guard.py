"""Where we may connect to: the rules for addresses of outside origin (`promises.md` 5.1).

A look at the URL before the request is a courtesy to the caller: names change their answers and resolvers read `0x7f.1`
as a number. What protects is `Guard.connect`: it resolves once, refuses when any answer is not allowed, and connects to
the address it has vetted. Nothing resolves a second time.
"""

import contextlib
import re
import socket
from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from shared.adapters.fetch.deadline import Deadline
from shared.core.errors import Transient, UrlNotAllowed

__all__ = ["Guard", "address_allowed", "connect_to", "resolve_name"]

_PORTS = frozenset({80, 443})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST = 8192
_LONGEST_HOST, _LONGEST_LABEL = 253, 63
_INSIDE = re.compile(r"(?:^|\.)(?:localhost|localdomain|local|internal|intranet|home\.arpa)$")
# What `is_global` calls public although it leads inside, or nowhere (Python 3.11.7, measured).
_FURTHER = tuple(
    ip_network(text)
    for text in (
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/23",
        "fec0::/10",
        "::/96",
        "100::/64",
        "5f00::/16",
        "3fff::/20",
        "192.0.0.0/24",
        "192.88.99.0/24",
    )
)
_SENTENCES = {
    "characters": "The address holds blanks, control characters or backslashes, or is too long.",
    "scheme": "Only http and https addresses are allowed.",
    "credentials": "An address with a user name or password in it is not allowed.",
    "host": "The address has no usable host name.",
    "port": "Only the ports 80 and 443 are allowed.",
    "address": "The address leads to a network that is not public.",
    "downgrade": "A redirect from https to http is not followed.",
}


def address_allowed(text: str) -> bool:
    """Say whether an address, as the resolver wrote it, is a public unicast one."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address.version == network.version and address in network for network in _FURTHER)


def resolve_name(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host by the system's resolver, each once; raise OSError or UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def connect_to(address: str, port: int, timeout_s: float) -> socket.socket:
    """Open a TCP connection to a literal address; raise OSError."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect((address, port))
    except OSError:
        sock.close()
        raise
    return sock


class Guard:
    """The rules, with the exceptions of one deployment: `host:port` pairs that need no public address and no usual port."""

    def __init__(
        self,
        allow_hosts: Collection[str] = (),
        *,
        allow_private: bool = True,
        resolve: Callable[[str, int], Sequence[str]] = resolve_name,
        connect: Callable[[str, int, float], socket.socket] = connect_to,
    ) -> None:
        """Take the exceptions; with `allow_private` False they open ports only, never private addresses (the cloud)."""
        self._exceptions = frozenset(entry.strip().lower() for entry in allow_hosts if entry.strip())
        self._allow_private = allow_private
        self._resolve, self._connect = resolve, connect

    def check(self, url: str) -> None:
        """Raise UrlNotAllowed for what can be seen without resolving; the sentence names the rule, not the address."""
        if len(url) > _LONGEST or "\\" in url or any(ord(char) <= 0x20 or ord(char) == 0x7F for char in url):  # noqa: PLR2004 (ASCII)
            raise refused("characters")
        parts = _split(url)
        if parts.scheme not in _DEFAULT_PORTS:
            raise refused("scheme")
        if "@" in parts.netloc:
            raise refused("credentials")
        host, port = parts.hostname or "", _port(parts)
        if not host:
            raise refused("host")
        self._check_port(host, port)
        self._check_host(host, port)

    def connect(self, host: str, port: int, deadline: Deadline) -> socket.socket:
        """Resolve once, vet every answer, connect to a vetted one; raise UrlNotAllowed or Transient."""
        self._check_port(host, port)
        addresses = self._vetted(host, port)
        failure = "refused"
        for address in addresses:
            try:
                return self._connect(address, port, deadline.connect_left())
            except TimeoutError:
                failure = "timeout"
            except OSError:
                failure = "refused"
        raise Transient(failure, "The other side could not be connected to.")

    def _vetted(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = self._resolve(host, port)
        except UnicodeError:
            raise refused("host") from None
        except OSError:
            raise Transient("dns", "The name of the other side could not be resolved.") from None
        if not addresses:
            raise Transient("dns", "The name of the other side has no address.")
        if not all(self._address_passes(host, port, address) for address in addresses):
            raise refused("address")
        return addresses

    def _check_port(self, host: str, port: int) -> None:
        if port not in _PORTS and not self._excepted(host, port):
            raise refused("port")

    def _address_passes(self, host: str, port: int, address: str) -> bool:
        return address_allowed(address) or (self._allow_private and self._excepted(host, port))

    def _check_host(self, host: str, port: int) -> None:
        """Refuse what is no host, and what is one inside by its look: an address in any spelling, a name of a local zone."""
        if not _is_nameable(host):
            raise refused("host")
        address = _literal(host)
        if address is not None and not self._address_passes(host, port, address):
            raise refused("address")
        is_inside = address is None and _INSIDE.search(host.rstrip(".").lower()) is not None
        if is_inside and not (self._allow_private and self._excepted(host, port)):
            raise refused("address")

    def _excepted(self, host: str, port: int) -> bool:
        name = f"[{host}]" if ":" in host else host
        return f"{name.lower()}:{port}" in self._exceptions


def refused(rule: str) -> UrlNotAllowed:
    """Return the refusal that names one rule."""
    return UrlNotAllowed(_SENTENCES[rule])


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise refused("host") from None


def _port(parts: SplitResult) -> int:
    try:
        return parts.port if parts.port is not None else _DEFAULT_PORTS[parts.scheme]
    except ValueError:
        raise refused("port") from None


def _literal(host: str) -> str | None:
    """Return the address that a host is, in any spelling the resolver knows (`0x7f.1`, `2130706433`); None for a name."""
    with contextlib.suppress(ValueError):
        return str(ip_address(host))
    with contextlib.suppress(OSError, UnicodeError):
        return socket.inet_ntoa(socket.inet_aton(host))
    return None


def _is_nameable(host: str) -> bool:
    """Say whether a host can be an address or a name at all: no empty label, none over 63 characters, 253 in all."""
    labels = host.removesuffix(".").split(".")
    return ":" in host or (len(host) <= _LONGEST_HOST and all(0 < len(label) <= _LONGEST_LABEL for label in labels))
