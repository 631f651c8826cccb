"""A writer behind any endpoint that speaks OpenAI's chat completions."""

import json
import re
from contextlib import closing
from typing import Any

from shared.core.errors import Problem, Terminal, Transient
from shared.ports.fetch import Fetch, Request, Response
from shared.ports.text import Asked, Written

__all__ = ["OpenAiText"]

_OK, _PASSING, _SERVER_ERROR = 200, frozenset({408, 409, 425, 429}), 500
_UNKNOWN_PARAMETER = frozenset({400, 422})
_FENCED = re.compile(r"^\s*```(?:json)?\s*(.*?)\s*```\s*$", re.DOTALL)
_MOST_BYTES = 2 * 1024 * 1024
_TOTAL_S = 55.0
_RULES = {
    "title": "at most 70 characters",
    "description": "150 to 300 words of plain text",
    "seo_title": "at most 60 characters",
    "seo_description": "at most 155 characters",
}


class OpenAiText:
    """Asks a chat model for a JSON object of texts."""

    def __init__(self, fetch: Fetch, base_url: str, key: str | None, model: str) -> None:
        """Take the way out, the endpoint (`.../v1`), its key, and the model."""
        self._fetch, self._base_url, self._key, self.name = fetch, base_url.rstrip("/"), key, model

    def write(self, asked: Asked) -> Written:
        """Ask once; raise Transient or Terminal."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        body: dict[str, Any] = {"model": self.name, "messages": _messages(asked)}
        answer = self._sent(headers, {**body, "response_format": {"type": "json_object"}})
        if answer.status in _UNKNOWN_PARAMETER:  # not every compatible endpoint knows how to be asked for an object
            answer.close()
            answer = self._sent(headers, body)
        if answer.status != _OK:
            raise _failure(answer)
        with closing(answer):
            return _read(answer.read(), asked)

    def _sent(self, headers: dict[str, str], body: dict[str, Any]) -> Response:
        url = f"{self._base_url}/chat/completions"
        sent = json.dumps(body).encode()
        try:
            return self._fetch.send(
                Request("POST", url, headers, sent, max_bytes=_MOST_BYTES, read_s=_TOTAL_S, total_s=_TOTAL_S)
            )
        except Problem as refusal:
            raise Terminal("url_not_allowed", refusal.detail) from None


def _messages(asked: Asked) -> list[dict[str, str]]:
    wanted = "; ".join(f"{name}: {_RULES[name]}" for name in asked.fields)
    system = (
        "You write texts for an online shop. Use only the facts given; invent no properties. "
        f"Language: {asked.language}. Tone: {asked.tone}. Answer with one JSON object with the keys: {wanted}."
    )
    keywords = f"\nUse these keywords where they fit: {', '.join(asked.keywords)}." if asked.keywords else ""
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": f"Facts: {json.dumps(dict(asked.facts), ensure_ascii=False)}{keywords}"},
    ]


def _failure(answer: Response) -> Transient | Terminal:
    answer.close()
    if answer.status in _PASSING or answer.status >= _SERVER_ERROR:
        limited = answer.status == 429  # noqa: PLR2004 - too many requests
        return Transient(f"http_{answer.status}", f"The writer answered {answer.status}.", rate_limited=limited)
    return Terminal(f"http_{answer.status}", f"The writer answered {answer.status}.")


def _read(body: bytes, asked: Asked) -> Written:
    try:
        answer: Any = json.loads(body)
        told = answer["choices"][0]["message"]["content"]
        content = json.loads(_FENCED.sub(r"\1", told))
        texts = {name: content[name] for name in asked.fields if isinstance(content.get(name), str)}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise Transient("not_json", "The writer answered with something other than the texts asked for.") from None
    if not texts:
        raise Transient("no_text", "The writer answered without any of the texts asked for.")
    usage = answer.get("usage")
    tokens = usage.get("total_tokens") if isinstance(usage, dict) else 0
    return Written(texts, tokens if isinstance(tokens, int) and 0 <= tokens < 10**9 else 0)
