"""Refresh runs reach the warehouse as they ended, and held lines know our products and our own shelves."""

from pathlib import Path
from typing import Any

from shared.ports.warehouse import Named
from tests.installation import PASSWORD, Installation, installed

SQL = """
SELECT id, source, status, held, opened, snapshot_id, error_code
FROM {runs} WHERE created_at >= TIMESTAMP '2020-01-01 00:00:00+00' ORDER BY created_at, id
"""


def rows(onhand: Installation, folder: Path) -> list[dict[str, Any]]:
    """Read the table of runs after the outbox was taken to the warehouse."""
    onhand.app.flusher.run()
    query = folder / "runs.sql"
    query.write_text(SQL)
    return onhand.app.warehouse.query(Named(query, {"runs": onhand.app.oos_tables.runs}), {}).rows


def test_every_run_is_kept_in_the_warehouse_as_it_ended(tmp_path: Path) -> None:
    with installed(tmp_path, size=60) as onhand:
        good = onhand.refresh("stord")
        onhand.clock.advance(60)
        onhand.shipbob.fault("token_revoked")
        bad = onhand.refresh("shipbob")
        found = rows(onhand, tmp_path)

        assert [row["id"] for row in found] == [good["id"], bad["id"]]
        assert found[0] | {"id": ""} == {
            "id": "",
            "source": "stord",
            "status": "succeeded",
            "held": good["held"],
            "opened": good["opened"],
            "snapshot_id": good["snapshot_id"],
            "error_code": None,
        }
        assert (found[1]["status"], found[1]["error_code"]) == ("failed", bad["error"]["code"])
        assert rows(onhand, tmp_path) == found


def test_lines_name_our_product_and_our_own_store_covers_them(tmp_path: Path) -> None:
    with installed(tmp_path, size=60) as onhand:
        onhand.refresh("shipbob")
        held = onhand.get("/api/v1/oos/orders?source=shipbob&limit=1").json["items"][0]
        sku = held["lines"][0]["sku"]
        assert held["lines"][0]["product_id"] is None
        onhand.app.stores.ensure_default()
        made: Any = onhand.http.post(
            "/api/v1/products",
            json={"sku": sku.lower(), "name": "Ours", "current_stock": 12},
            auth=("demo", PASSWORD),
        )
        assert made.status_code == 201, made.get_data(as_text=True)
        onhand.clock.advance(900)
        onhand.refresh("shipbob")

        path = f"/api/v1/oos/orders?source=shipbob&limit=1000&include=coverage&sku={sku}"
        line = next(line for item in onhand.get(path).json["items"] for line in item["lines"] if line["sku"] == sku)
        assert line["product_id"] == made.json["id"]
        assert next(site for site in line["coverage"] if site["source"] == "store")["available"] == 12
