"""Words for search are the same whichever way they are found."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from shared.core.words import words


def by_letter(text: str) -> list[str]:
    """Return the words by the definition: folded, without accents, parted at what is not alphanumeric."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    folded = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return "".join(letter if letter.isalnum() else " " for letter in folded).split()


@given(st.text(st.characters(max_codepoint=127)) | st.text())
def test_words_are_those_of_the_definition(text: str) -> None:
    assert words(text) == by_letter(text)


def test_every_character_of_ascii_parts_or_belongs_as_defined() -> None:
    text = "a".join(map(chr, range(128)))

    assert words(text) == by_letter(text)
