"""How imports are stored: one document per run, and its rows in packed parts beside it.

`imports/{id}` has the names of the wire; `mapping_config` and `asked` are JSON text, since their keys are free.
`import_parts/{id}-{letter}-{number}` holds rows as compressed JSON: `s` staged (in columns, `packing`), `x` numbers of superseded rows, `d` the diff,
`a` what was applied.
"""

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import from_json, to_json

from shared.core.clock import instant, parse_instant
from shared.imports.models import ImportRun, ImportStatus, Totals
from shared.ports.documents import Key, Put, Stored, Write

__all__ = [
    "IMPORTS",
    "MOST_ERRORS",
    "PARTS",
    "changed",
    "import_key",
    "new_import",
    "part_key",
    "part_write",
    "payload_of",
    "payload_write",
    "rows_of",
    "view",
]

IMPORTS = "imports"
PARTS = "import_parts"
MOST_ERRORS = 100
_FAST = 1
_KEPT = timedelta(days=90)
Data = dict[str, Any]


def import_key(import_id: str) -> Key:
    """Return where an import is."""
    return Key(IMPORTS, import_id)


def part_key(import_id: str, letter: str, number: int) -> Key:
    """Return where a part of its rows is."""
    return Key(PARTS, f"{import_id}-{letter}-{number:07d}")


def part_write(import_id: str, letter: str, number: int, rows: Sequence[Any], now: datetime) -> Write:
    """Return the write of a part; writing it again writes the same."""
    return payload_write(part_key(import_id, letter, number), to_json(rows), len(rows), now)


def payload_write(key: Key, payload: bytes, count: int, now: datetime) -> Write:
    """Return the write of a part whose rows have been put into a form already."""
    data: Data = {
        "import_id": key.id.rsplit("-", 2)[0],
        "data": zlib.compress(payload, _FAST),
        "count": count,
        "expires_at": instant(now + _KEPT),
    }
    return Put(key, data)


def rows_of(stored: Stored) -> list[Any]:
    """Return the rows of a part."""
    rows: list[Any] = from_json(payload_of(stored))
    return rows


def payload_of(stored: Stored) -> bytes:
    """Return what a part holds."""
    return zlib.decompress(stored.data["data"])


def new_import(told: Mapping[str, Any], now: datetime, user_id: str | None) -> Data:
    """Return the document of a new import; `told` holds kind, source, format and options."""
    return {
        "job_id": None,
        "status": ImportStatus.ANALYZING.value,
        "update_existing": True,
        "mapping_config": None,
        "totals": Totals().model_dump(),
        "errors": [],
        "content_hash": None,
        "created_by": user_id,
        "created_at": instant(now),
        "applied_at": None,
        "version": 1,
        **told,
    }


def changed(stored: Stored, **changes: Any) -> Put:
    """Return the write of an import that changes."""
    data = {**stored.data, **changes, "version": stored.data["version"] + 1}
    return Put(stored.key, data, stored.version)


def view(stored: Stored) -> ImportRun:
    """Return an import as shown."""
    data = stored.data
    mapping = data["mapping_config"]
    applied = data["applied_at"]
    shown = {name: data[name] for name in ImportRun.model_fields if name in data}
    return ImportRun.model_validate(
        {
            **shown,
            "id": stored.key.id,
            "mapping_config": None if mapping is None else from_json(mapping),
            "created_at": parse_instant(data["created_at"]),
            "applied_at": None if applied is None else parse_instant(applied),
        }
    )
