"""The one way out: HTTP behind a guard that sits where the socket is opened, and its scripted twin.

`GuardedFetch` speaks through requests; `ScriptedFetch` answers from a function and is what unit tests use. Both follow
redirects, decode, bound and name their failures with the same code, and both know the rules of `guard`.
"""

from shared.adapters.fetch.client import GuardedFetch
from shared.adapters.fetch.scripted import Answer, ScriptedFetch

__all__ = ["Answer", "GuardedFetch", "ScriptedFetch"]
