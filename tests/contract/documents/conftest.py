"""Query shapes of the documents contract suite: made up, so that no product query is needed to test the port."""

from typing import Any

import pytest

from shared.adapters.shapes import Shapes


def _index(*fields: str) -> dict[str, Any]:
    parts = [field.partition(" ") for field in fields]
    return {
        "collectionGroup": "things",
        "queryScope": "COLLECTION",
        "fields": [
            {"fieldPath": name, **({"arrayConfig": "CONTAINS"} if how == "contains" else {"order": how or "ASCENDING"})}
            for name, _, how in parts
        ],
    }


DECLARED = {
    "indexes": [
        _index("state", "rank DESCENDING"),
        _index("state", "place", "rank"),
        _index("tags contains", "rank"),
    ],
    "fieldOverrides": [
        {
            "collectionGroup": "things",
            "fieldPath": "rank",
            "indexes": [{"queryScope": "COLLECTION", "order": "ASCENDING"}],
        },
        {
            "collectionGroup": "things",
            "fieldPath": "expires_at",
            "ttl": True,
            "indexes": [{"queryScope": "COLLECTION", "order": "ASCENDING"}],
        },
        {"collectionGroup": "things", "fieldPath": "note", "indexes": []},
    ],
}


@pytest.fixture
def shapes() -> Shapes:
    """Override the product's shapes."""
    return Shapes.of(DECLARED)
