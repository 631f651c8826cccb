"""Where a full walk over ShipBob's orders goes on: windows of creation time, frozen when the walk begins.

Paging a set that changes loses orders; orders created between two fixed moments do not change (`sources.md` 1.4, measured).
The whole span is cut into windows so that no page number grows large. A cursor is a JSON object:

    since, until   the span, frozen          rows    rows read in this window
    start, end     this window               blank   empty pages in a row that still named a next one
    page           1-based, in this window   seen    digest of the last page that had rows
    link           a next link without page  trail   what `cycles` needs to notice a circle of such links
    walked         pages of the whole walk

Whatever is odd about a page is an error that names it: a walk that did not read everything must not look complete.
"""

from datetime import datetime, timedelta
from typing import Any

from shared.adapters.fetch.vendor import Link, Reply, VendorApi, encode
from shared.adapters.sources.cycles import advanced
from shared.adapters.sources.reading import digest
from shared.adapters.sources.shipbob import Options
from shared.core.clock import instant, parse_instant
from shared.core.errors import Terminal

__all__ = ["after", "first", "place", "query"]

Cursor = dict[str, Any]
_PATH = "/order"
_MOST_BLANK = 3


def first(options: Options, now: datetime) -> Cursor:
    """Return the cursor of the first page of the first window of a span that ends now."""
    since = now - timedelta(days=options.lookback_days)
    return _window({"since": instant(since), "until": instant(now), "walked": 0}, since, options)


def query(cursor: Cursor, options: Options) -> tuple[str, str]:
    """Return path and query of the cursor's page."""
    if cursor["link"] is not None:
        return cursor["link"][0], cursor["link"][1]
    parameters = [
        ("StartDate", cursor["start"]),
        ("EndDate", cursor["end"]),
        ("SortOrder", options.sort_order),
        ("Limit", str(options.page_size)),
        ("Page", str(cursor["page"])),
    ]
    return _PATH, encode(parameters)


def place(cursor: Cursor) -> str:
    """Name the page for people."""
    return f"page {cursor['page']} of the orders created from {cursor['start'][:10]} to {cursor['end'][:10]}"


def after(cursor: Cursor, rows: list[Any], reply: Reply, options: Options, api: VendorApi) -> Cursor | None:
    """Return the cursor that follows a page, None after the last; raise Transient or Terminal for an odd page."""
    read = _counted(cursor, rows, api)
    _check_bounds(read, reply, options, api)
    onward = _onward(read, rows, reply, options, api)
    if onward is None:
        _check_total(read, reply, options, api)
        end = parse_instant(read["end"])
        return None if read["end"] >= read["until"] else _window(read, end, options)
    if read["blank"] > _MOST_BLANK:
        raise api.transient("empty_pages", place(cursor), "empty pages keep naming a next page")
    return read | onward


def _window(cursor: Cursor, start: datetime, options: Options) -> Cursor:
    end = min(start + timedelta(days=options.window_days), parse_instant(cursor["until"]))
    fresh = {"page": 1, "link": None, "trail": None, "rows": 0, "blank": 0, "seen": None}
    kept = {name: cursor[name] for name in ("since", "until", "walked")}
    return kept | fresh | {"start": instant(start), "end": instant(end)}


def _counted(cursor: Cursor, rows: list[Any], api: VendorApi) -> Cursor:
    walked = {"walked": cursor["walked"] + 1, "rows": cursor["rows"] + len(rows)}
    if not rows:
        return cursor | walked | {"blank": cursor["blank"] + 1}
    seen = digest([row.get("id") if isinstance(row, dict) else row for row in rows])
    if seen == cursor["seen"]:
        raise api.transient("same_page_twice", place(cursor), "the same orders came twice")
    return cursor | walked | {"blank": 0, "seen": seen}


def _onward(cursor: Cursor, rows: list[Any], reply: Reply, options: Options, api: VendorApi) -> Cursor | None:
    """Say how to ask for the next page of this window: by the link, else by the count of pages, else until one is short."""
    following = {"page": cursor["page"] + 1, "link": None}
    link = reply.headers.get("next-page", "").strip()
    if link:
        return following | _linked(cursor, link, api)
    pages = reply.number("total-pages")
    if pages is not None:
        return following if cursor["page"] < pages else None
    return following if len(rows) >= options.page_size else None


def _linked(cursor: Cursor, text: str, api: VendorApi) -> Cursor:
    """Read a next link: with a page number it only confirms that there is one more page, else it is followed as it is."""
    found = Link("", f"Page={text}") if text.isascii() and text.isdigit() else api.link(text, place(cursor))
    number = found.parameter("Page")
    if number is not None:
        if number != str(cursor["page"] + 1):
            raise api.transient("page_cycle", place(cursor), "the next page named is not the page after this one")
        return {}
    address = [found.path, found.query]
    trail = advanced(cursor["trail"], digest(address))
    if trail is None or address == cursor["link"]:
        raise api.transient("page_cycle", place(cursor), "the next page named was read before")
    return {"link": address, "trail": trail}


def _check_bounds(cursor: Cursor, reply: Reply, options: Options, api: VendorApi) -> None:
    total = reply.number("total-count")
    if options.check_total and total is not None and cursor["rows"] > total:
        raise api.transient("wrong_total", place(cursor), f"{cursor['rows']} orders came, {total} were announced")
    if cursor["page"] > options.most_pages:
        raise Terminal("endless_pages", f"ShipBob, {place(cursor)}: the pages do not end")


def _check_total(cursor: Cursor, reply: Reply, options: Options, api: VendorApi) -> None:
    total = reply.number("total-count")
    if options.check_total and total is not None and cursor["rows"] != total:
        raise api.transient("wrong_total", place(cursor), f"{cursor['rows']} orders came, {total} were announced")
