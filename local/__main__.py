"""`make run`: every function on one port, with queue, clock, simulators and the first refresh, in the foreground."""

import gc
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from local import control, gateway
from local.product import Product
from shared.core.log import configure
from shared.core.settings import SettingsError

__all__ = ["main"]

_PATIENCE_S = 300.0
_POLL_S = 0.5
_HEADER_BYTES = 32 * 1024
"""Longer than any token that is refused by its length, so that the refusal is ours: the server's own is a page of HTML."""
_HEAD_START_S = 1.0
"""How long the functions have the interpreter to themselves: making the simulated worlds would share it with the first answers."""


class Server(BaseApplication):  # type: ignore[misc]
    """One gunicorn worker with threads, as the framework serves a function; the product lives in the worker."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take the environment the product starts with."""
        self._environment = environment
        self._product: Product | None = None
        super().__init__()

    def load_config(self) -> None:
        """Set what this run needs; the control socket is off because its one path per user is shared by all runs."""
        host, port = self._environment.get("HOST") or "127.0.0.1", self._environment.get("PORT") or "8080"
        settings: dict[str, Any] = {
            "bind": f"{host}:{port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": 16,
            "timeout": 0,
            "graceful_timeout": 5,
            "loglevel": "warning",
            "limit_request_line": 0,
            "limit_request_field_size": _HEADER_BYTES,
            "control_socket_disable": True,
            "post_worker_init": lambda _: self._start(),
            "worker_exit": lambda _server, _worker: self._stop(),
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Build the product and the WSGI application, in the worker; what is loaded now stays, so nothing of it is garbage."""
        gc.disable()
        product = self._product = Product(self._environment)
        log = (Path(product.settings.data_dir) / "onhand.log").open("a", encoding="utf-8")
        configure(level=product.settings.log_level, secrets=product.settings.secrets(), stream=log)
        product.prepare()
        made = gateway.wsgi(lambda: product.app, [control.router(product)])
        gc.freeze()
        gc.enable()
        return made

    def _start(self) -> None:
        if self._product is not None:
            threading.Thread(target=_begin, args=(self._product,), name="begin", daemon=True).start()

    def _stop(self) -> None:
        if self._product is not None:
            self._product.stop()


def _begin(product: Product) -> None:
    """Start what runs beside the functions, watch the first refresh, and look for alerts when it is over."""
    if product.stopping.wait(_HEAD_START_S):
        return
    product.start()
    _greet(product)
    watching = [
        threading.Thread(target=_watch, args=(product, job_id), name="watch", daemon=True)
        for job_id in product.first_refresh()
    ]
    product.begun.set()
    for thread in watching:
        thread.start()
    for thread in watching:
        thread.join()
    if watching:
        product.first_alerts()


def _watch(product: Product, job_id: str) -> None:
    """Print a progress line until a job has ended."""
    said, waited = "", 0.0
    while waited < _PATIENCE_S:
        job = product.app.jobs.get(job_id)
        line = f"{job.name}: {job.status.value}" + (f", {job.progress_message}" if job.progress_message else "")
        if line != said:
            _say(line)
            said = line
        if job.finished_at is not None:
            counts = job.result or {}
            if counts:
                _say(
                    f"{job.name}: done, {counts['fetched']} orders read in {counts['pages']} pages, {counts['held']} held"
                )
            return
        threading.Event().wait(_POLL_S)
        waited += _POLL_S


def _greet(product: Product) -> None:
    settings = product.settings
    base = f"http://{settings.host}:{settings.port}"
    _say(f"Onhand runs at {base} (data and onhand.log in {settings.data_dir}; Ctrl-C ends it)")
    for name, simulator in product.simulators.items():
        _say(f"  simulator {name}: {simulator.origin}")
    _say("  users: admin, manager, operator, viewer @onhand.local")
    _say(f"  password of each: {settings.demo_password}; Basic pair: {settings.basic_auth_username} with the same")
    _say(
        f"  try: curl -s -u {settings.basic_auth_username}:{settings.demo_password} {base}/api/shipbob/oos-orders?limit=1"
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run until interrupted."""
    try:
        Server(os.environ).run()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
