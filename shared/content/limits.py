"""What a text may be, whoever wrote it. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.ports.text import Written

__all__ = ["FIELDS", "bounded"]

FIELDS = ("title", "description", "seo_title", "seo_description")
"""The texts of a product, in the order of the contract."""

_LONGEST = {"title": 70, "seo_title": 60, "seo_description": 155}
_FEWEST_WORDS, _MOST_WORDS = 150, 300
_MOST_TEXT = 20_000
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def bounded(written: Written, *, by_model: bool) -> tuple[dict[str, str], list[str]]:
    """Return the texts within their limits, and notes about what was done; texts that are empty are left out."""
    fields: dict[str, str] = {}
    notes = list(written.notes)
    for name, text in _clean(written.fields).items():
        if name == "description":
            fields[name] = (_by_sentence(text, notes) if by_model else text)[:_MOST_TEXT]
            if by_model and len(text.split()) < _FEWEST_WORDS:
                notes.append("short_description")
        else:
            fields[name] = _cut(text, _LONGEST[name])
            if fields[name] != text:
                notes.append(f"cut_{name}")
    return fields, notes


def _clean(fields: Mapping[str, str]) -> dict[str, str]:
    cleaned = {
        name: unicodedata.normalize("NFC", _CONTROL.sub(" ", fields[name])).strip() for name in FIELDS if name in fields
    }
    return {name: text for name, text in cleaned.items() if text}


def _cut(text: str, longest: int) -> str:
    """Cut at a word, or within it when there is no earlier end."""
    one_line = " ".join(text.split())
    if len(one_line) <= longest:
        return one_line
    head = one_line[: longest + 1]
    return (head.rpartition(" ")[0] or head[:longest]).rstrip(" ,;:-")


def _by_sentence(text: str, notes: list[str]) -> str:
    """Keep whole sentences up to 300 words; a single longer sentence is cut at a word."""
    if len(text.split()) <= _MOST_WORDS:
        return text
    notes.append("cut_description")
    kept: list[str] = []
    count = 0
    for sentence in _SENTENCE.split(text):
        count += len(sentence.split())
        if count > _MOST_WORDS:
            break
        kept.append(sentence)
    return " ".join(kept) if kept else " ".join(text.split()[:_MOST_WORDS])
