"""One sync of the bench, in a process of its own: `python -m bench.one_sync <products>`; prints JSON.

A simulated BigBuy without quotas answers in a process beside this one. What is measured: how long it takes to read the lists
alone (`read_s`), and a whole sync of new products, then the same sync again (`first_s`, `again_s`), as jobs on SQLite.
"""

import json
import multiprocessing
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from typing import Any

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Measure and print."""
    count = int(arguments[0])
    ours, theirs = multiprocessing.Pipe()
    beside = multiprocessing.Process(target=_simulate, args=(theirs, count), daemon=True)
    beside.start()
    try:
        print(json.dumps(_measured(ours.recv(), count)))
    finally:
        beside.terminate()
        beside.join()


def _simulate(told: Connection, count: int) -> None:
    from local.simulators import BigBuy, Options
    from shared.core.clock import SystemClock

    with BigBuy(SystemClock(), Options(size=count)) as simulator:
        simulator.switch(quotas="off", variations="none")
        told.send(simulator.port)
        time.sleep(10**6)


def _measured(port: int, count: int) -> dict[str, Any]:
    from shared.app import App
    from shared.core.settings import Settings
    from shared.suppliers.models import ConnectSupplier

    with tempfile.TemporaryDirectory() as folder:
        variables = {"BIGBUY_BASE_URL": f"http://127.0.0.1:{port}", "FETCH_ALLOW_HOSTS": f"127.0.0.1:{port}"}
        app = App(Settings.from_env({"DATA_DIR": folder, **variables}))
        supplier = app.suppliers.connect(
            ConnectSupplier.model_validate({"supplier_type": "bigbuy", "api_key": "demo-bigbuy-key"})
        )
        read_s = _reading(app, supplier.key.id, count)
        told = {"read_s": read_s}
        for name in ("first", "again"):
            began, cpu = time.perf_counter(), time.process_time()
            told |= {f"{name}_{key}": value for key, value in _synced(app, supplier.key.id, count).items()}
            told[f"{name}_s"] = time.perf_counter() - began
            told[f"{name}_cpu_s"] = time.process_time() - cpu
        app.close()
        return told


def _reading(app: Any, supplier_id: str, count: int) -> float:
    """Walk the lists and take nothing."""
    from shared.suppliers.port import Walk

    source = app.suppliers.source(app.suppliers.get(supplier_id))
    began = time.perf_counter()
    cursor = source.begin(Walk("products", limit=count))
    while cursor is not None:
        cursor = source.page(cursor).next
    return time.perf_counter() - began


def _synced(app: Any, supplier_id: str, count: int) -> dict[str, Any]:
    """Run a sync to its end, delivery by delivery, as the queue would; return what came of it."""
    from shared.core.caller import SYSTEM
    from shared.suppliers.models import SyncOptions

    options = SyncOptions.model_construct(limit=count, category_filter=None, in_stock_only=False)
    job_id = app.syncs.one(SYSTEM, supplier_id, "products", options).job.id
    while (job := app.jobs.record(job_id)).live:
        body = {"job_id": job_id, "step": job.step, "lease_epoch": job.step_epoch, "payload": job.input}
        app.job_runner.deliver(job.kind, body)
    return {"status": str(job.status), "created": job.counts["created"], "unchanged": job.counts["unchanged"]}


if __name__ == "__main__":
    main(sys.argv[1:])
