"""Held lines learn our product of their SKU, with few questions to the catalogue."""

from pathlib import Path
from typing import Any

from shared.core.clock import instant
from tests.installation import PASSWORD, Installation, installed


def named(onhand: Installation, sku: str) -> set[str | None]:
    """Return the products that the open lines of a SKU are named with."""
    rows = onhand.get("/api/shipbob/oos-orders").json
    return {line["product_id"] for row in rows for line in row["oos_lines"] if line["sku"] == sku}


def test_a_product_made_between_two_refreshes_is_named_by_the_second(tmp_path: Path) -> None:
    """Without asking for the SKUs again: one query for new products, whatever their number of held lines."""
    with installed(tmp_path, size=60) as onhand:
        onhand.refresh("shipbob")
        rows: list[dict[str, Any]] = onhand.get("/api/shipbob/oos-orders").json
        sku = rows[-1]["oos_lines"][0]["sku"]
        body = {"name": "Held", "sku": sku.lower(), "category": "Things"}
        made: Any = onhand.http.post("/api/v1/products", json=body, auth=("demo", PASSWORD))
        assert made.status_code == 201, made.get_data(as_text=True)
        assert named(onhand, sku) == {None}
        onhand.clock.advance(900)

        claims = asked(onhand)
        onhand.refresh("shipbob")
        assert named(onhand, sku) == {made.json["id"]}
        onhand.clock.advance(900)
        onhand.refresh("shipbob")

        assert named(onhand, sku) == {made.json["id"]}
        assert claims == []
        pointer = onhand.app.snapshots.current("shipbob").data
        assert pointer["all_named_at"] < pointer["named_at"] <= instant(onhand.clock.now())


def asked(onhand: Installation) -> list[int]:
    """Note how many claims are read together from now on."""
    seen: list[int] = []
    documents: Any = onhand.app.documents
    get_many = documents.get_many

    def noted(keys: Any) -> Any:
        if keys and keys[0].collection == "product_claims":
            seen.append(len(keys))
        return get_many(keys)

    documents.get_many = noted
    return seen
