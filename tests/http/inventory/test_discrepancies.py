"""Discrepancies over HTTP, with both simulators and their published snapshots."""

from pathlib import Path

from tests.installation import installed


def test_held_skus_that_a_3pl_could_sell_are_named(tmp_path: Path) -> None:
    with installed(tmp_path, size=120) as made:
        assert made.get("/api/v1/inventory/discrepancies").json["items"] == []
        for source in ("shipbob", "stord"):
            made.refresh(source)

        page = made.get("/api/v1/inventory/discrepancies?limit=1000").json
        held = {order for source in ("shipbob", "stord") for order in made.open_ids(source)}

        assert {row["kind"] for row in page["items"]} == {"phantom"}  # our own stores are empty
        assert all(row["source_units"] > 0 for row in page["items"] if row["kind"] == "phantom")
        assert {order for row in page["items"] for order in row["orders"]} <= held
        assert [row["sku"] for row in page["items"]] == sorted(row["sku"] for row in page["items"])
