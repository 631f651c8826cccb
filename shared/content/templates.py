"""The writer that needs no model: plain sentences made of a product's own facts, and labelled as such."""

from collections.abc import Mapping
from typing import Any

from shared.ports.text import Asked, Written

__all__ = ["LABEL", "TemplateWriter"]

LABEL = "Template text, not AI"

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "by": "by",
        "in": "in",
        "size": "Package size",
        "details": "Details",
        "order": "Order {name} online.",
        "and": "and",
    },
    "fr": {
        "by": "de",
        "in": "dans",
        "size": "Conditionnement",
        "details": "Détails",
        "order": "Commandez {name} en ligne.",
        "and": "et",
    },
    "de": {
        "by": "von",
        "in": "in",
        "size": "Packung",
        "details": "Details",
        "order": "{name} online bestellen.",
        "and": "und",
    },
    "es": {
        "by": "de",
        "in": "en",
        "size": "Formato",
        "details": "Detalles",
        "order": "Compre {name} en línea.",
        "and": "y",
    },
    "it": {
        "by": "di",
        "in": "in",
        "size": "Confezione",
        "details": "Dettagli",
        "order": "Ordina {name} online.",
        "and": "e",
    },
}


class TemplateWriter:
    """Writes from facts alone; a language it does not know is written in English, with a note."""

    name = "template"

    def write(self, asked: Asked) -> Written:
        """Write the fields asked for."""
        words = _WORDS.get(asked.language.partition("-")[0].casefold())
        notes = () if words else ("language_not_known",)
        made = {
            "title": _title,
            "description": _description,
            "seo_title": lambda asked, _: _seo_title(asked),
            "seo_description": _seo_description,
        }
        return Written({name: made[name](asked, words or _WORDS["en"]) for name in asked.fields}, notes=notes)


def _title(asked: Asked, words: Mapping[str, str]) -> str:
    return f"{asked.facts['name']}{_brand(asked.facts, words)}"


def _description(asked: Asked, words: Mapping[str, str]) -> str:
    facts = asked.facts
    category = f" ({facts['category']})" if facts.get("category") else ""
    lines = [f"{facts['name']}{_brand(facts, words)}{category}."]
    if facts.get("package_size"):
        lines.append(f"{words['size']}: {facts['package_size']}.")
    if facts.get("attributes"):
        listed = "; ".join(f"{name}: {value}" for name, value in facts["attributes"].items())
        lines.append(f"{words['details']}: {listed}.")
    written, present = " ".join(lines), str(facts.get("description") or "")
    if present.startswith(written):  # written by us earlier
        return present
    return f"{written} {present}".rstrip()


def _seo_title(asked: Asked) -> str:
    return " | ".join([str(asked.facts["name"]), *_fitting(asked, 60 - len(str(asked.facts["name"])))])


def _seo_description(asked: Asked, words: Mapping[str, str]) -> str:
    name = str(asked.facts["name"])
    start = f"{name}{_brand(asked.facts, words)}. {words['order'].format(name=name)}"
    keywords = _fitting(asked, 155 - len(start) - 1)
    return f"{start} {', '.join(keywords)}" if keywords else start


def _brand(facts: Mapping[str, Any], words: Mapping[str, str]) -> str:
    brand = str(facts.get("brand") or "")
    return f" {words['by']} {brand}" if brand and brand.casefold() not in str(facts["name"]).casefold() else ""


def _fitting(asked: Asked, room: int) -> list[str]:
    """Return the keywords that fit into so many characters, each with its separator."""
    kept: list[str] = []
    for keyword in asked.keywords:
        room -= len(keyword) + 3
        if room < 0:
            break
        kept.append(keyword)
    return kept
