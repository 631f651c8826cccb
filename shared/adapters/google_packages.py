"""Loading one client of a Google package without the rest of the package.

`google.cloud.firestore_v1` says `import` to everything it has: a second client for asyncio, pipelines, listeners, bulk writers.
What is used here is the generated client below and its messages, which need none of it, and a fifth of the time. So the
package itself is only made ready: whoever asks it for a name of its own gets the whole of it then, as from any import.
"""

import sys
import threading
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

__all__ = ["client_module"]

_LOCK = threading.RLock()
_KEPT = frozenset({"__all__", "__version__"})


def client_module(package: str, service: str) -> Any:
    """Return the module of a service's client, as `client_module("google.cloud.tasks_v2", "cloud_tasks")`; its messages are loaded too."""
    services = f"{package}.services.{service}"
    _make_ready(package)
    import_module(f"{package}.types")
    import_module(f"{package}.services")
    _make_ready(services)
    return import_module(f"{services}.client")


class _Ready(ModuleType):
    """A package whose own source has not run: it runs when a name is asked for that is none of its modules."""

    def __getattr__(self, name: str) -> Any:
        """Return a module of the package, or a name that its source makes."""
        module = self.__name__
        if name.startswith("__") and name not in _KEPT:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        if find_spec(f"{module}.{name}") is not None:
            return import_module(f"{module}.{name}")
        _complete(self)
        return object.__getattribute__(self, name)


def _make_ready(name: str) -> None:
    with _LOCK:
        if name in sys.modules:
            return
        spec = find_spec(name)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        made = module_from_spec(spec)
        made.__class__ = _Ready
        sys.modules[name] = made
        parent, _, own = name.rpartition(".")
        setattr(sys.modules[parent], own, made)


def _complete(package: _Ready) -> None:
    """Run the source of a package once; threads that ask meanwhile wait, and its own modules see what is there so far."""
    with _LOCK:
        if "_has_run" in vars(package):
            return
        vars(package)["_has_run"] = True
        loader = package.__spec__.loader if package.__spec__ is not None else None
        if loader is not None:
            loader.exec_module(package)
