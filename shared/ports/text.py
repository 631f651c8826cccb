"""Text: one request to a writer. Adapters: any OpenAI-compatible endpoint; the template writer of `shared.content`."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from shared.core.values import dataclass, field

__all__ = ["Asked", "Text", "Written"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What to write: which fields, about which facts, in which language and tone, with which keywords."""

    fields: Sequence[str]
    facts: Mapping[str, Any]
    language: str
    tone: str = "professional"
    keywords: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: a text for each field that could be, and the tokens it cost."""

    fields: Mapping[str, str]
    tokens: int = 0
    notes: Sequence[str] = field(default_factory=tuple)


class Text(Protocol):
    """A writer."""

    name: str
    """`template`, or the name of the model."""

    def write(self, asked: Asked) -> Written:
        """Write; raise Transient to be tried again, Terminal for what will not work."""
        ...
