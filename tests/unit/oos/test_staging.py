"""What a refresh has read comes back as it was read, in however many documents it lies."""

import random
from datetime import UTC, datetime

import pytest

from shared.adapters.sqlite import SqliteDocuments
from shared.oos.chain import PIECE
from shared.oos.source import Fate, Verdict
from shared.oos.staging import PARTS, Staging
from shared.ports.documents import Put, Query
from tests.faults.refresh.harness import shapes
from tests.unit.oos.builders import an_order

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


def test_what_was_staged_comes_back_in_its_order() -> None:
    """Two packs of pages, one of look-ups, one of levels of which the later counts; then all is removed."""
    documents = SqliteDocuments.in_memory(shapes())
    staging = Staging(documents, "job_1")
    pages = [[an_order("1"), an_order("2")], [], [an_order("3", raw={"text": "a\nb"})]]
    looks = [{"8": Verdict(Fate.SHIPPED)}, {"9": Verdict(Fate.HELD, an_order("9"))}]
    levels = [{"A": [["4", "West", 1, 1, 0]]}, {"A": [["4", "West", 2, 2, 0], ["8", "East", 5, 5, 0]]}]
    documents.commit(staging.writes("page", 0, [Staging.page(page) for page in pages[:2]], NOW))
    documents.commit(staging.writes("page", 1, [Staging.page(page) for page in pages[2:]], NOW))
    documents.commit(staging.writes("look", 0, [Staging.look(look) for look in looks], NOW))
    documents.commit(staging.writes("stock", 0, [Staging.levels(each) for each in levels], NOW))
    packs = {"page": 2, "look": 1, "stock": 1}

    assert list(staging.orders(packs)) == [order for page in pages for order in page]
    assert staging.verdicts(packs) == looks[0] | looks[1]
    assert staging.stock(packs) == {"A": [["4", "West", 2, 2, 0], ["8", "East", 5, 5, 0]]}
    documents.commit(staging.removals(packs))
    assert documents.query(Query("oos_staged", order_by="expires_at")) == []


def test_a_page_larger_than_a_document_lies_in_several() -> None:
    """Three pieces, each within the limit; the page after it follows them."""
    documents = SqliteDocuments.in_memory(shapes())
    staging = Staging(documents, "job_1")
    large = an_order("1", raw={"noise": random.Random(1).randbytes(2 * PIECE).hex()})
    writes = staging.writes("page", 0, [Staging.page([large])], NOW)
    documents.commit([*writes, *staging.writes("page", len(writes), [Staging.page([an_order("2")])], NOW)])

    assert [isinstance(write, Put) and len(write.data["data"]) <= PIECE for write in writes] == [True] * 3
    assert list(staging.orders(dict.fromkeys(PARTS, 0) | {"page": 4})) == [large, an_order("2")]


def test_a_document_that_is_gone_is_said_and_not_taken_for_the_end() -> None:
    """A refresh that lost what it read must not publish what is left."""
    documents = SqliteDocuments.in_memory(shapes())
    staging = Staging(documents, "job_1")
    documents.commit(staging.writes("page", 0, [Staging.page([an_order("1")])], NOW))

    with pytest.raises(LookupError, match=r"job_1-page\.1 is gone"):
        list(staging.orders({"page": 2}))
