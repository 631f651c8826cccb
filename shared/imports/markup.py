"""Text from outside that may hold HTML: only tags of an allow-list stay, without attributes. Pure."""

import re
from html import escape
from html.parser import HTMLParser

__all__ = ["harmless", "plain_text"]

_MARKUP = re.compile(r"<[/!?a-zA-Z]")
_ALLOWED = frozenset(
    [
        "p",
        "br",
        "b",
        "strong",
        "i",
        "em",
        "u",
        "ul",
        "ol",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "table",
        "thead",
        "tbody",
        "tr",
        "td",
        "th",
        "blockquote",
    ]
)
_EMPTY = frozenset({"br"})
_SILENT = frozenset({"script", "style", "template", "iframe", "object", "noscript", "svg", "math"})
_BREAKS = frozenset({"p", "br", "li", "tr", "div", "h1", "h2", "h3", "h4", "h5", "h6"})
_BLANKS = re.compile(r"[^\S\n]+")


class _Kept(HTMLParser):
    """Collects the harmless part of a text."""

    def __init__(self, *, tags: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._tags = tags
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif not self._silent and self._tags and tag in _ALLOWED:
            self.parts.append(f"<{tag}>")
        elif not self._silent and tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif not self._silent and self._tags and tag in _ALLOWED - _EMPTY:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(escape(data, quote=False) if self._tags else data)


def harmless(text: str) -> str:
    """Return a text that may hold HTML with nothing in it that a browser would run; text without tags stays as it is."""
    return _kept(text, tags=True) if _MARKUP.search(text) else text


def plain_text(text: str) -> str:
    """Return the words of a text that may hold HTML."""
    if not _MARKUP.search(text):
        return text
    lines = (_BLANKS.sub(" ", line).strip() for line in _kept(text, tags=False).splitlines())
    return "\n".join(line for line in lines if line)


def _kept(text: str, *, tags: bool) -> str:
    parser = _Kept(tags=tags)
    parser.feed(text)
    parser.close()
    return "".join(parser.parts).strip()
