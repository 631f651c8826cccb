"""Uploaded files go when no import can need them any more."""

from pathlib import Path

import pytest

from shared.core.errors import Transient
from shared.ports.documents import Query
from tests.http.imports.client import importing

DAY = 86_400
CSV = b"sku,name,price\nUP-1,Cup,3.50\n"


def test_an_upload_is_kept_for_a_month_from_its_last_use_and_then_removed(tmp_path: Path) -> None:
    with importing(tmp_path) as imports:
        kept = imports.app.data_dir / "files"

        done = imports.upload(CSV)
        imports.clock.advance(20 * DAY)
        imports.upload(CSV)
        imports.clock.advance(20 * DAY)
        imports.app.uploads.forget()
        after_forty = len(list(kept.iterdir()))
        imports.clock.advance(12 * DAY)
        for chore in imports.app.chores():
            chore()

        assert done["status"] == "applied"
        assert (after_forty, list(kept.iterdir())) == (1, [])
        assert imports.app.store.count(Query("uploads")) == 0
        assert imports.upload(CSV)["status"] == "applied"


def test_a_file_that_cannot_be_removed_now_is_removed_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with importing(tmp_path) as imports:
        imports.upload(CSV)
        imports.clock.advance(32 * DAY)
        uploads = imports.app.uploads
        remove, tries = uploads.files.delete, []

        def in_trouble(address: str) -> None:
            tries.append(address)
            if len(tries) == 1:
                raise Transient("files", "in trouble")
            remove(address)

        monkeypatch.setattr(uploads.files, "delete", in_trouble)
        first = uploads.forget()
        second = uploads.forget()

        assert (first, second, len(tries)) == (0, 1, 2)
