"""All functions behind one port: every router of `functions/`, and the local control paths."""

import importlib
import importlib.util
from collections.abc import Callable, Iterable
from typing import Any

from local.bundle import function_names
from shared.http.router import Router
from shared.http.serve import Handler, as_wsgi, serve

__all__ = ["handler", "routers", "wsgi"]


def routers() -> list[Router]:
    """Return the routers of every function folder, older paths included."""
    found: list[Router] = []
    for name in function_names():
        found.append(importlib.import_module(f"functions.{name}.routes").router)
        if importlib.util.find_spec(f"functions.{name}.legacy") is not None:
            found.append(importlib.import_module(f"functions.{name}.legacy").router)
    return found


def handler(app: Callable[[], Any], more: Iterable[Router] = ()) -> Handler[Any]:
    """Return the one handler of all operations."""
    return serve([*routers(), *more], app)


def wsgi(app: Callable[[], Any], more: Iterable[Router] = ()) -> Any:
    """Return the WSGI application of all operations."""
    return as_wsgi(handler(app, more))
