"""One sync of the bench, in a process of its own: `python -m bench.one_sync <products>`; prints JSON.

A simulated BigBuy without quotas answers in a process beside this one. What is measured: reading the lists alone (`read_*`), a
whole sync of new products without a limit, and the same sync again (`first_*`, `again_*`), as jobs on SQLite: seconds, seconds
of our processor, and the most memory the process had until then.
"""

import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Measure and print."""
    count = int(arguments[0])
    ours, theirs = multiprocessing.Pipe()
    beside = multiprocessing.Process(target=_simulate, args=(theirs, count), daemon=True)
    beside.start()
    try:
        print(json.dumps(_measured(ours.recv())))
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


def _measured(port: int) -> dict[str, Any]:
    from shared.app import App
    from shared.core.settings import Settings
    from shared.suppliers.models import ConnectSupplier

    with tempfile.TemporaryDirectory() as folder:
        variables = {"BIGBUY_BASE_URL": f"http://127.0.0.1:{port}", "FETCH_ALLOW_HOSTS": f"127.0.0.1:{port}"}
        app = App(Settings.from_env({"DATA_DIR": folder, **variables}))
        supplier = app.suppliers.connect(
            ConnectSupplier.model_validate({"supplier_type": "bigbuy", "api_key": "demo-bigbuy-key"})
        )
        told = _timed("read", lambda: _reading(app, supplier.key.id))
        for name in ("first", "again"):
            told |= _timed(name, lambda: _synced(app, supplier.key.id))
        app.close()
        return told


def _timed(name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    began, cpu = time.perf_counter(), time.process_time()
    told = work()
    spent = {"s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu, "peak_mib": _peak_mib()}
    return {f"{name}_{key}": value for key, value in {**told, **spent}.items()}


def _peak_mib() -> float:
    """Return the most memory that this process had so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def _reading(app: Any, supplier_id: str) -> dict[str, Any]:
    """Walk the lists and take nothing."""
    from shared.suppliers.notes import WalkNotes
    from shared.suppliers.port import Walk

    source = app.suppliers.source(app.suppliers.get(supplier_id))
    notes = WalkNotes(app.store, app.clock, "reading")
    cursor = source.begin(Walk("products", limit=None), notes)
    read = 0
    while cursor is not None:
        page = source.page(cursor, notes)
        read, cursor = read + len(page.items), page.next
    return {"products": read}


def _synced(app: Any, supplier_id: str) -> dict[str, Any]:
    """Run a sync to its end, delivery by delivery, as the queue would; return what came of it."""
    from shared.core.caller import SYSTEM
    from shared.suppliers.models import SyncOptions

    job_id = app.syncs.one(SYSTEM, supplier_id, "products", SyncOptions()).job.id
    while (job := app.jobs.record(job_id)).live:
        body = {"job_id": job_id, "step": job.step, "lease_epoch": job.step_epoch, "payload": job.input}
        app.job_runner.deliver(job.kind, body)
    counts = {name: job.counts[name] for name in ("created", "updated", "unchanged", "failed")}
    return {"status": str(job.status), "deliveries": job.step + 1, **counts}


if __name__ == "__main__":
    main(sys.argv[1:])
