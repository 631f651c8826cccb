"""The whole product in one process: application, queue, cron loop, simulators; started, watched and stopped as one."""

import json
import logging
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.clock import LocalClock
from local.demo.load import load
from local.environment import local_environment
from shared.adapters.local_queue import CronLoop, Dispatcher, HttpCalls
from shared.app import App
from shared.core.caller import SYSTEM
from shared.core.clock import SystemClock, instant, parse_instant
from shared.core.errors import Problem, Terminal, Transient
from shared.core.settings import Settings
from shared.ports.schedules import Schedule

if TYPE_CHECKING:
    from local.simulators import Fault, Simulator

__all__ = ["Product"]

_log = logging.getLogger(__name__)
ROOT = Path(__file__).parent.parent
WORKER = ROOT / "functions" / "worker" / "function.json"


class Product:
    """One running installation."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Read the settings; raise with every problem named."""
        local = local_environment(environment)
        self.settings = Settings.from_env(local.variables)
        folder = Path(self.settings.data_dir)
        folder.mkdir(parents=True, exist_ok=True)
        self.clock = LocalClock(folder / "clock.json")
        self.app = App(self.settings, self.clock)
        self._anchor = self._started(folder / "started.json")
        self._faults = _faults(environment.get("SIM_FAULTS", ""))
        self._ports = local.simulators
        self.simulators: dict[str, Simulator] = {}
        self.stopping = threading.Event()
        self.begun = threading.Event()
        """Set when everything that begins with the start has begun: simulators, queue, first refresh."""

    def prepare(self) -> None:
        """Load what an empty store begins with, before the first request is answered."""
        self._seed()

    def start(self) -> None:
        """Start simulators, queue and cron loop; what they call must answer already."""
        self._start_simulators()
        if self.settings.demo_data:
            self._seed_from_vendors()
        self._add_faults()
        calls = HttpCalls(self.settings.worker_url or "", self.app.local_invoker.token)
        self.dispatcher = Dispatcher(self.app.local_tasks, calls.task, self.clock)
        for schedule in schedules():
            self.app.local_schedules.put(schedule)
        chores = (self.app.jobs.sweep, *(sim.tick for sim in self.simulators.values() if hasattr(sim, "tick")))
        self.cron = CronLoop(self.app.local_schedules, calls.slot, self.clock, chores)
        self.dispatcher.start()
        self.cron.start()

    def stop(self) -> None:
        """Stop everything that runs by itself."""
        self.stopping.set()
        for part in (getattr(self, "cron", None), getattr(self, "dispatcher", None), *self.simulators.values()):
            if part is not None:
                part.stop()
        self.app.close()

    def first_refresh(self) -> list[str]:
        """Start the refresh of every source that has never succeeded; return the job ids."""
        status = self.app.refreshes.status()
        never = [one.source for one in status.sources if one.enabled and one.last_success_at is None]
        return [started.job.id for name in never for started in self.app.refreshes.start(name, SYSTEM)]

    def first_alerts(self) -> None:
        """Start an evaluation of everything, so that what the demo shop lacks is told from the start."""
        self.app.first_check()

    def state(self) -> dict[str, Any]:
        """Return the time, what the queue holds, and when each schedule fires next."""
        queue = self.app.local_tasks.state()
        upcoming = self.app.local_schedules.next_runs()
        return {
            "now": instant(self.clock.now()),
            "queued": queue.queued,
            "running": queue.running,
            "schedules": {name: instant(moment) for name, moment in upcoming.items()},
        }

    def drain(self, timeout_s: float) -> bool:
        """Wait until no schedule and no task is due and everything written is in the reports; say whether that came in time.

        Before everything has begun there is more to come, so that is waited for first.
        """
        if not self.begun.wait(timeout_s):
            return False
        self.cron.tick()
        self.app.jobs.sweep()
        drained = self.dispatcher.drain(timeout_s)
        self.app.settle()
        return self.dispatcher.drain(timeout_s) and drained

    def _seed(self) -> None:
        settings = self.settings
        if settings.admin_email and settings.admin_password:
            self.app.identity.ensure_first_admin(settings.admin_email, settings.admin_password)
        self.app.identity.seed_demo_users(settings.demo_password)
        self.app.stores.ensure_default()
        if settings.demo_data:
            load(self.app)

    def _seed_from_vendors(self) -> None:
        """Load what needs the simulators; what fails here is tried again at the next start, and stops nothing."""
        from local.demo.connections import connections_with
        from local.demo.earlier import earlier_with

        seeds = (
            ("connections", connections_with(self._ports)),
            ("earlier refresh", earlier_with(self.simulators)),
        )
        for name, seed in seeds:
            try:
                load(self.app, ((name, seed),))
            except (Problem, Transient, Terminal) as failed:
                _log.warning("demo data %r were not loaded: %s", name, failed)

    def _start_simulators(self) -> None:
        from local.simulators import AliExpress, BigBuy, Options, ShipBob, Shop, Stord

        kinds: dict[str, type[Simulator]] = {
            "aliexpress": AliExpress,
            "bigbuy": BigBuy,
            "shipbob": ShipBob,
            "shop": Shop,
            "stord": Stord,
        }
        for name, port in self._ports.items():
            options = Options(port=port, living=True, anchor=self._anchor, advance=self.clock.advance)
            self.simulators[name] = kinds[name](self.clock, options).start()

    def _add_faults(self) -> None:
        for name, simulator in self.simulators.items():
            for fault in self._faults.get(name, []):
                _add(simulator, fault)

    @staticmethod
    def _started(kept_in: Path) -> datetime:
        """Return the time of the first start, so that the simulators serve the same world after a restart."""
        if not kept_in.exists():
            kept_in.write_text(json.dumps({"at": instant(SystemClock().now())}))
        return parse_instant(json.loads(kept_in.read_text())["at"])


def schedules() -> list[Schedule]:
    """Return the schedules of the worker's manifest."""
    manifest = json.loads(WORKER.read_text())
    return [
        Schedule(entry["name"], entry["cron"], entry.get("time_zone", "UTC"), entry.get("deadline_s", 600))
        for entry in manifest["schedules"]
    ]


def _faults(words: str) -> "dict[str, list[Fault]]":
    """Read the faults to begin with; the simulators come after the first answers, unless they are needed to read this."""
    if not words:
        return {}
    from local.simulators import parse_faults

    return parse_faults(words)


def _add(simulator: "Simulator", fault: "Fault") -> None:
    simulator.add_fault(fault.fault, fault.times, fault.after, fault.path)
