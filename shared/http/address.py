"""The client's address: counted from the right of X-Forwarded-For, so that nobody can choose his own."""

import ipaddress

__all__ = ["client_address", "network"]

_UNKNOWN = "unknown"


def client_address(peer: str | None, forwarded: str | None, hops: int) -> str:
    """Return the address that the outermost trusted proxy saw.

    Each trusted proxy adds one entry at the right. With fewer entries than proxies, or an entry that is no address, the
    header is not what our proxies write, and the peer itself counts.
    """
    if hops and forwarded:
        entries = [entry.strip() for entry in forwarded.split(",")]
        if len(entries) >= hops and (found := _address(entries[-hops])):
            return found
    return _address(peer or "") or _UNKNOWN


def network(address: str) -> str:
    """Return what a limit counts: an IPv4 address, or the /64 network that one IPv6 client has to itself."""
    if ":" not in address:
        return address
    found = ipaddress.IPv6Address(address)
    return str(found.ipv4_mapped or ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))


def _address(entry: str) -> str | None:
    """Read an entry, with or without port, with or without brackets."""
    if entry.startswith("["):
        entry = entry[1:].partition("]")[0]
    elif entry.count(":") == 1:
        entry = entry.partition(":")[0]
    try:
        found = ipaddress.ip_address(entry.partition("%")[0])
    except ValueError:
        return None
    return str(found)
