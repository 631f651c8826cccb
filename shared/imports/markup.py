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
        self.is_clean = True
        """Whether nothing had to be left out or written otherwise."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_clean = self.is_clean and tag in _ALLOWED and not attrs
        if tag in _SILENT:
            self._silent += 1
        elif not self._silent and self._tags and tag in _ALLOWED:
            self.parts.append(f"<{tag}>")
        elif not self._silent and tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.is_clean = self.is_clean and tag in _ALLOWED
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif not self._silent and self._tags and tag in _ALLOWED - _EMPTY:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.is_clean = self.is_clean and "<" not in data
        if not self._silent:
            self.parts.append(escape(data, quote=False) if self._tags else data)

    def handle_comment(self, data: str) -> None:
        self.is_clean = False

    def handle_decl(self, decl: str) -> None:
        self.is_clean = False

    def handle_pi(self, data: str) -> None:
        self.is_clean = False

    def unknown_decl(self, data: str) -> None:
        self.is_clean = False


def harmless(text: str) -> str:
    """Return a text that may hold HTML with nothing in it that a browser would run.

    A text that is harmless already comes back as it is, so that what was exported is imported unchanged.
    """
    if not _MARKUP.search(text):
        return text
    parser = _parsed(text, tags=True)
    return text if parser.is_clean else "".join(parser.parts).strip()


def plain_text(text: str) -> str:
    """Return the words of a text that may hold HTML."""
    if not _MARKUP.search(text):
        return text
    kept = "".join(_parsed(text, tags=False).parts)
    lines = (_BLANKS.sub(" ", line).strip() for line in kept.splitlines())
    return "\n".join(line for line in lines if line)


def _parsed(text: str, *, tags: bool) -> _Kept:
    parser = _Kept(tags=tags)
    parser.feed(text)
    parser.close()
    return parser
