"""The one composition root: settings -> adapters -> services, each built once, on first need, under a lock.

One module for each part of the business; all of them stand on `platform`, which also says how a part adds warehouse tables,
kinds of jobs, duties of schedules and chores of the cleanup. `whole` lists the parts: **a new part is added there**.

Routes name `App` in their types and call what they are given, so importing a function's entry point needs the name only: the
parts are loaded when the first application is made. The number of parts thus costs a function nothing at import.
"""

import gc
import os
from typing import TYPE_CHECKING, Any

__all__ = ["App"]

# Nearly every object of a cold start stays: with the interpreter's own threshold (700) looking through them took up to a seventh of it.
gc.set_threshold(50_000, 20, 50)
# With its first model the validation library asks every installed distribution whether it is a plugin of it; none of ours is.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

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
