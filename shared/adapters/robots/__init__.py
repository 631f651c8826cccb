"""robots.txt read by Protego, which knows wildcards; the standard library's reader lets through what they forbid."""

from collections.abc import Callable

__all__ = ["robots_rules"]

_AGENT = "onhand"


def robots_rules(text: str) -> Callable[[str], bool]:
    """Return what says whether we may read an address, from the text of a robots.txt."""
    from protego import Protego

    rules = Protego.parse(text)
    return lambda url: bool(rules.can_fetch(url, _AGENT))
