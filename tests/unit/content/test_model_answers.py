"""What a chat model may answer, and what becomes of it: texts, or trouble that is named; never half a text."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.adapters.fetch.scripted import Answer, ScriptedFetch
from shared.adapters.openai import OpenAiText
from shared.content.limits import bounded
from shared.core.errors import Terminal, Transient
from shared.ports.fetch import Request
from shared.ports.text import Asked, Written

ASKED = Asked(("title", "description"), {"name": "Mug"}, "en")


def told(content: Any, **more: Any) -> bytes:
    return json.dumps({"choices": [{"message": {"content": content}}], **more}).encode()


def written(*answers: Answer | Callable[[Request], Answer]) -> tuple[Written, list[dict[str, Any]]]:
    """Let a model answer with these, one after the other; return what was written, and what was asked."""
    asked: list[dict[str, Any]] = []
    left = list(answers)

    def serve(request: Request) -> Answer:
        asked.append(json.loads(request.body or b""))
        following = left.pop(0)
        return following if isinstance(following, Answer) else following(request)

    return OpenAiText(ScriptedFetch(serve), "https://ai.test/v1", "key", "m").write(ASKED), asked


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no JSON",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": {}}',
        b'{"choices": [null]}',
        b'{"choices": [{"message": null}]}',
        told(None),
        told(""),
        told(7),
        told(["title"]),
        told({"title": "Mug"}),
        told("a sentence and no object"),
        told("[1, 2]"),
        told('"Mug"'),
        told("{}"),
        told('{"title": null, "description": 7}'),
        told('{"title": "Mug"'),
        told("[" * 100_000),
        b"[" * 100_000,
        b"<html>502</html>",
    ],
)
def test_an_answer_without_texts_is_trouble_that_may_pass(body: bytes) -> None:
    with pytest.raises(Transient) as raised:
        written(Answer(200, body))

    assert raised.value.code in {"not_json", "no_text"}


@pytest.mark.parametrize(
    "usage", [None, [], {"total_tokens": "many"}, {"total_tokens": -1}, {"total_tokens": 10**12}, {}]
)
def test_tokens_that_are_no_number_are_none(usage: Any) -> None:
    made, _ = written(Answer(200, told('{"title": "Mug"}', usage=usage)))

    assert (made.fields, made.tokens) == ({"title": "Mug"}, 0)


@pytest.mark.parametrize("fence", ["```json\n%s\n```", "```\n%s```", "  ```json %s ```\n"])
def test_an_object_in_a_fence_is_read(fence: str) -> None:
    made, _ = written(Answer(200, told(fence % '{"title": "Mug", "seo_title": "not asked for"}')))

    assert made.fields == {"title": "Mug"}


@pytest.mark.parametrize("status", [400, 422])
def test_an_endpoint_that_cannot_be_asked_for_an_object_is_asked_without(status: int) -> None:
    made, asked = written(Answer(status, b"{}"), Answer(200, told('{"title": "Mug"}')))

    assert made.fields == {"title": "Mug"}
    assert [one.pop("response_format", None) for one in asked] == [{"type": "json_object"}, None]
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    ("statuses", "kind", "code"),
    [
        ([400, 400], Terminal, "http_400"),
        ([401], Terminal, "http_401"),
        ([404], Terminal, "http_404"),
        ([400, 503], Transient, "http_503"),
        ([429], Transient, "http_429"),
        ([500], Transient, "http_500"),
    ],
)
def test_a_refusal_is_what_its_status_says(statuses: list[int], kind: type[Exception], code: str) -> None:
    with pytest.raises(kind) as raised:
        written(*(Answer(status, b"secret words of the other side") for status in statuses))

    assert raised.value.code == code  # type: ignore[attr-defined]
    assert "secret words" not in str(raised.value)


def test_texts_that_are_far_too_long_or_hold_control_characters_are_kept_within_limits() -> None:
    texts = {"title": "Mug " * 100_000, "description": "x\u0000y. " * 50_000 + "\ud800"}
    made, _ = written(Answer(200, told(json.dumps(texts))))

    fields, notes = bounded(made, by_model=True)

    assert len(fields["title"]) <= 70
    assert len(fields["description"].split()) <= 300
    assert not set(fields["description"]) & {"\x00", "\ud800"}
    assert notes == ["cut_title", "cut_description"]


def test_a_description_of_one_endless_word_is_cut_too() -> None:
    made, _ = written(Answer(200, told(json.dumps({"description": "x" * 1_000_000}))))

    assert len(bounded(made, by_model=True)[0]["description"]) == 20_000
