"""The one composition root: settings -> adapters -> services, each built once, on first need, under a lock.

One module for each part of the business; all of them stand on `platform`, which also says how a part adds warehouse tables,
kinds of jobs, duties of schedules and chores of the cleanup. `whole` lists the parts: **a new part is added there**.

Routes name `App` in their types and call what they are given, so importing a function's entry point needs the name only: the
parts are loaded when the first application is made. The number of parts thus costs a function nothing at import.

A server that forks its workers loads them just before: a worker copies each page it touches, so that what every application is
made of is cheaper loaded once in front of all of them.
"""

import os
from typing import TYPE_CHECKING, Any

__all__ = ["App"]

if TYPE_CHECKING:
    from shared.app.whole import App
else:

    class App:
        """Makes the application; see `shared.app.whole`."""

        def __new__(cls, *given: Any, **named: Any) -> Any:
            """Return an application of all parts."""
            from shared.app.whole import App as Whole

            return Whole(*given, **named)

        @classmethod
        def from_env(cls) -> Any:
            """Return the application of this process, built from its environment."""
            from shared.app.whole import App as Whole

            return Whole.from_env()

    def _load() -> None:
        import shared.app.whole
        import shared.identity.access  # noqa: F401 - loaded is all they have to be

    os.register_at_fork(before=_load)
