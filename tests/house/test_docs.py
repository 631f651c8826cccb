"""Derived files say what the code says."""

from pathlib import Path

import pytest

from local import docs


def test_generated_files_are_fresh() -> None:
    assert docs.stale() == []


def test_a_stale_file_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page.md").write_text("yesterday\n")
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(docs, "pages", lambda: {tmp_path / "page.md": "today\n"})

    assert docs.stale() == ["page.md"]


def test_every_link_in_the_documentation_leads_somewhere() -> None:
    assert docs.broken_links() == []
