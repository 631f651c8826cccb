"""Where the walk over Stord's open orders goes on: an opaque cursor, `after`, until there is none.

A cursor of ours is a JSON object: `after` (None: the first page), `walked` (pages read), `rows` (records read), `blank`
(empty pages in a row that still named a next one), `totals` (least and greatest `total_count` told), `trail` (what `cycles`
needs). The set changes while it is read, so `total_count` may differ from the rows by as much as it moved meanwhile.
"""

from typing import Any

from shared.adapters.fetch.vendor import VendorApi, encode
from shared.adapters.sources.cycles import advanced
from shared.adapters.sources.reading import digest, mapping
from shared.adapters.sources.stord import Options

__all__ = ["after", "first", "place", "query"]

Cursor = dict[str, Any]
_MOST_BLANK = 3
_SLACK = 2
_LONGEST_CURSOR = 4000


def first() -> Cursor:
    """Return the cursor of the first page."""
    return {"after": None, "walked": 0, "rows": 0, "blank": 0, "totals": None, "trail": None}


def query(cursor: Cursor, options: Options) -> str:
    """Return the query of the cursor's page; filters go with every page."""
    parameters = [("limit", str(options.page_size))]
    parameters += [("status[]", status) for status in options.statuses]
    parameters += [("channel_id[]", channel) for channel in options.channel_ids]
    if cursor["after"] is not None:
        parameters.append(("after", cursor["after"]))
    return encode(parameters)


def place(cursor: Cursor) -> str:
    """Name the page for people."""
    return f"page {cursor['walked'] + 1} of the orders"


def after(cursor: Cursor, count: int, metadata: Any, options: Options, api: VendorApi) -> Cursor | None:
    """Return the cursor that follows a page of `count` records, None after the last; raise Transient for an odd page."""
    where = place(cursor)
    blank = 0 if count else cursor["blank"] + 1
    totals = _totals(cursor["totals"], metadata)
    read = cursor | {"walked": cursor["walked"] + 1, "rows": cursor["rows"] + count, "blank": blank, "totals": totals}
    onward = _onward(metadata, where, api)
    if options.check_total:
        _check_total(read, where, api, ended=onward is None)
    if onward is None:
        return None
    if blank > _MOST_BLANK:
        raise api.transient("empty_pages", where, "empty pages keep naming a next page")
    trail = advanced(cursor["trail"], digest([onward]))
    if trail is None or onward == cursor["after"]:
        raise api.transient("page_cycle", where, "the next page named was read before")
    return read | {"after": onward, "trail": trail}


def _onward(metadata: Any, where: str, api: VendorApi) -> str | None:
    """Return the vendor's cursor of the next page; none means the last page."""
    onward = mapping(metadata).get("after")
    if onward is None or onward == "":
        return None
    if not isinstance(onward, str) or len(onward) > _LONGEST_CURSOR:
        raise api.transient("wrong_shape", where, "named a next page in a form that cannot be sent back")
    return onward


def _totals(known: list[int] | None, metadata: Any) -> list[int] | None:
    total = mapping(metadata).get("total_count")
    if isinstance(total, bool) or not isinstance(total, int):
        return known
    return [total, total] if known is None else [min(known[0], total), max(known[1], total)]


def _check_total(cursor: Cursor, where: str, api: VendorApi, *, ended: bool) -> None:
    if cursor["totals"] is None:
        return
    least, most = cursor["totals"]
    slack = _SLACK + (most - least)
    missing = ended and cursor["rows"] < least - slack
    if missing or cursor["rows"] > most + slack:
        raise api.transient("wrong_total", where, f"{cursor['rows']} orders came, {most} were announced")
