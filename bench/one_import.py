"""One part of the import bench, in a process of its own: `python -m bench.one_import <what> <file>`; prints JSON.

What: `make-xml`, `make-json`, `make-csv` (write a file of so many products), `floor-xml`, `floor-json`, `floor-csv` (the
parser alone), `stage` (read, validate, stage into SQLite), `whole` (dry run, then apply, as jobs; then SQLite alone).
"""

import csv
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import iterparse

_PIECE = 65_536
_WORDS = "A shirt of washed linen, made to last, in a colour that goes with everything you own already. " * 4


def main(arguments: list[str]) -> None:
    """Do one part and say what it cost."""
    what, path, *more = arguments
    began, cpu = time.perf_counter(), time.process_time()
    told = _PARTS[what](Path(path), *map(int, more))
    took = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - began, "peak_mib": _peak_mib()}
    print(json.dumps(took | (told or {})))


def _peak_mib() -> float:
    """Return how much memory this process has had at most."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _rows(count: int) -> Iterator[dict[str, str]]:
    for number in range(count):
        yield {
            "id": f"SKU-{number}",
            "title": f"Product number {number} of many",
            "description": f"{number} {_WORDS}",
            "link": f"https://shop.example/products/{number}",
            "image_link": f"https://shop.example/images/{number}.jpg",
            "price": f"{number % 500}.{number % 100:02d} EUR",
            "availability": "in_stock" if number % 3 else "out_of_stock",
            "brand": f"Brand {number % 40}",
            "product_type": f"Category {number % 25}",
        }


def _make_xml(path: Path, count: int) -> None:
    with path.open("w") as file:
        file.write('<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel>')
        for row in _rows(count):
            file.write("<item>" + "".join(f"<g:{name}>{value}</g:{name}>" for name, value in row.items()) + "</item>\n")
        file.write("</channel></rss>")


def _make_json(path: Path, count: int) -> None:
    with path.open("w") as file:
        file.write('{"products": [')
        for number, row in enumerate(_rows(count)):
            file.write((",\n" if number else "") + json.dumps(row))
        file.write("]}")


def _make_csv(path: Path, count: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sku", "title", "price", "stock", "brand"])
        for number in range(count):
            writer.writerow(
                [f"SKU-{number}", f"Product {number}", f"{number % 500}.50", number % 90, f"B {number % 40}"]
            )


def _floor_xml(path: Path) -> dict[str, Any]:
    count = 0
    for _, element in iterparse(path):  # noqa: S314 - a file of our own; this reader is the yardstick
        if element.tag == "item":
            count += 1
            element.clear()
    return {"rows": count}


def _floor_json(path: Path) -> dict[str, Any]:
    import ijson

    with path.open("rb") as file:
        return {"rows": sum(1 for _ in ijson.items(file, "products.item"))}


def _floor_csv(path: Path) -> dict[str, Any]:
    with path.open(newline="") as file:
        return {"rows": sum(1 for _ in csv.DictReader(file))}


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _stage(path: Path) -> dict[str, Any]:
    from shared.adapters.feeds import FeedReader
    from shared.adapters.shapes import Shapes
    from shared.adapters.sqlite import SqliteDocuments
    from shared.core.clock import SystemClock
    from shared.imports.clean import Cleaner
    from shared.imports.columns import Columns
    from shared.imports.rows import MOST_FETCHED
    from shared.imports.staging import Hashed, Stager

    with tempfile.TemporaryDirectory() as folder:
        documents = SqliteDocuments(f"{folder}/bench.db", Shapes())
        stager = Stager("imp_bench", Cleaner(Columns()), SystemClock(), supplier_id=None, size=500)
        feed = FeedReader().open(Hashed(_pieces(path)), "auto", MOST_FETCHED)
        for write in stager.parts(feed.parts):
            documents.commit([write])
        repeats, _ = stager.superseded()
        documents.close()
    return {"rows": stager.staged.rows, "errors": stager.staged.errors, "repeats": repeats}


def _whole(path: Path) -> dict[str, Any]:
    """Run a dry run and its application as jobs over an empty catalogue; return the seconds of each, and of the floor.

    The floor is SQLite alone: the very rows that are in the file then, inserted into the same tables with the same indexes.
    """
    from shared.app import App
    from shared.core.caller import SYSTEM
    from shared.core.conditions import NO_CONDITION
    from shared.core.settings import Settings
    from shared.imports.start_models import UploadForm

    cpu = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        app = App(Settings.from_env({"DATA_DIR": folder}))
        address = app.files.put("bench", _pieces(path))
        started = app.imports.upload(SYSTEM, UploadForm(dry_run=True), ("bench.csv", address))
        dry = _carried_out(app, started.job_id)
        ready = app.imports.get(started.import_id)
        applied = app.imports.apply(SYSTEM, started.import_id, NO_CONDITION)
        wet = _carried_out(app, applied.job_id)
        done = app.imports.get(started.import_id)
        app.close()
        told: dict[str, Any] = {"cpu_s": time.process_time() - cpu, "peak_mib": _peak_mib()}
        cpu = time.process_time()
        _load_again(Path(folder) / "onhand.db", Path(folder) / "again.db")
        floor = time.process_time() - cpu
    told |= {"dry_run_s": dry, "apply_s": wet, "totals": ready.totals.model_dump(), "status": done.status}
    return told | {"floor_cpu_s": floor}


def _load_again(present: Path, again: Path) -> None:
    """Insert what one database holds into another with the same tables and indexes, table by table, 3,500 rows a commit.

    Reading them is in the figure, decoding and encoding are not.
    """
    source, target = sqlite3.connect(present), sqlite3.connect(again, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-32768"):
        target.execute(f"PRAGMA {pragma}").fetchall()
    made = source.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC"
    ).fetchall()
    for _, _, sql in made:
        target.execute(sql)
    for kind, name, _ in made:
        if kind != "table":
            continue
        rows = source.execute(f'SELECT * FROM "{name}"')  # noqa: S608 - a table of our own
        while some := rows.fetchmany(3_500):
            target.execute("BEGIN")
            target.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" for _ in some[0])})', some)  # noqa: S608 - as above
            target.execute("COMMIT")
    source.close()
    target.close()


def _carried_out(app: Any, job_id: str) -> float:
    began = time.perf_counter()
    for _ in range(10_000):
        job = app.jobs.record(job_id)
        if not job.live:
            break
        body = {"job_id": job_id, "step": job.step, "lease_epoch": job.step_epoch, "payload": job.input}
        app.job_runner.deliver(job.kind, body)
    return time.perf_counter() - began


_PARTS: dict[str, Callable[..., dict[str, Any] | None]] = {
    "make-xml": _make_xml,
    "make-json": _make_json,
    "make-csv": _make_csv,
    "floor-xml": _floor_xml,
    "floor-json": _floor_json,
    "floor-csv": _floor_csv,
    "stage": _stage,
    "whole": _whole,
}

if __name__ == "__main__":
    main(sys.argv[1:])
