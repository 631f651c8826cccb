"""Paths that take parameters from the body or the query, and short lists that are paged in hand."""

import json
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from shared.core.money import Money
from shared.core.page import Page, PageQuery
from shared.http.context import Context
from shared.http.page import listed
from shared.http.router import Router
from tests.client import Client
from tests.http.builders import FakeApp, a_kernel


class Wanted(BaseModel):
    """Something of every type."""

    name: str
    count: Annotated[int, Field(ge=1)] = 1
    on: bool = False
    price: Money | None = None
    ids: list[str] | None = None
    items: list[dict[str, int]] | None = None


class Short(PageQuery):
    """How the short list is paged."""

    SORTS = ("number",)


def a_client() -> Client:
    """Return a client of routes that merge, and of a short list."""
    router = Router("merged")

    @router.get("/shop/merged", access="public", merge_query=True)
    @router.put("/shop/merged", access="public", merge_query=True)
    def merged(ctx: Context[FakeApp], body: Wanted) -> dict[str, Any]:
        """Say what was understood."""
        return body.model_dump(mode="json")

    @router.put("/shop/plain", access="public")
    def plain(ctx: Context[FakeApp], body: Wanted) -> dict[str, Any]:
        """Say what the body says alone."""
        return body.model_dump(mode="json")

    @router.get("/api/v1/short", access="public")
    def short(ctx: Context[FakeApp], query: Short) -> Page[int]:
        """List a few numbers."""
        return listed(ctx, query, [1, 2, 3, 4, 5])

    return a_kernel([router]).client


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize(
    ("query", "body", "understood"),
    [
        ("name=a&count=3&on=true&price=2.50", None, {"name": "a", "count": 3, "on": True, "price": 2.5}),
        ("name=a&count=3", {"name": "b"}, {"name": "b", "count": 3}),
        ("name=a&ids=1,2&ids=3", None, {"name": "a", "ids": ["1", "2", "3"]}),
        ('name=a&ids=["1","2"]', None, {"name": "a", "ids": ["1", "2"]}),
        ("name=a&ids=1,2", {"ids": ["9"]}, {"name": "a", "ids": ["9"]}),
        ('name=a&items=[{"x":1},{"y":2}]', None, {"name": "a", "items": [{"x": 1}, {"y": 2}]}),
        ("name=a&count=&other=1", {"more": 1}, {"name": "a"}),
    ],
)
def test_the_query_says_what_the_body_does_not(
    method: str, query: str, body: dict[str, Any] | None, understood: dict[str, Any]
) -> None:
    sent = {} if body is None else {"body": body}

    answer = a_client().send(method, f"/shop/merged?{query}", **sent)

    expected = {"count": 1, "on": False, "price": None, "ids": None, "items": None, **understood}
    assert (answer.status, answer.json) == (200, expected)


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("count=1", [("/name", "missing")]),
        ("name=a&count=x", [("/count", "wrong_type")]),
        ("name=a&count=0", [("/count", "out_of_range")]),
        ("name=a&on=perhaps", [("/on", "wrong_type")]),
        ("name=a&items=[{", [("/items/0", "wrong_type")]),
    ],
)
def test_a_bad_parameter_is_refused_where_the_body_would_be(query: str, codes: list[tuple[str, str]]) -> None:
    answer = a_client().put(f"/shop/merged?{query}")

    assert (answer.status, answer.codes) == (422, codes)


def test_control_without_the_option_the_query_says_nothing() -> None:
    assert a_client().put("/shop/plain?name=a").codes == [("/name", "missing")]


def test_a_body_that_is_no_object_is_refused_whatever_the_query_says() -> None:
    answers = [a_client().send("PUT", f"/shop/merged?name={name}", b"[]") for name in "ab"]

    assert [(answer.status, json.loads(answer.body)["title"]) for answer in answers] == [(422, "Validation failed")] * 2


def test_a_short_list_is_paged_by_cursor_offset_and_number_and_turned_round() -> None:
    client = a_client()

    first = client.get("/api/v1/short", limit=2)
    second = client.get("/api/v1/short", limit=2, cursor=first.json["next_cursor"])
    third = client.get("/api/v1/short", limit=2, cursor=second.json["next_cursor"])

    assert [page.json["items"] for page in (first, second, third)] == [[1, 2], [3, 4], [5]]
    assert third.json["next_cursor"] is None
    assert client.get("/api/v1/short", limit=2, page=2).json == {
        "items": [3, 4],
        "next_cursor": client.get("/api/v1/short", limit=2, page=2).json["next_cursor"],
        "total": 5,
        "page": 2,
        "limit": 2,
        "total_pages": 3,
    }
    assert client.get("/api/v1/short?sort=-number&skip=3").json["items"] == [2, 1]
    assert client.get("/api/v1/short", cursor="W10").status == 400
