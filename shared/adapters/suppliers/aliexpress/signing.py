"""Signing calls: HMAC-SHA256 over sorted names and values; system calls put their path in front. Pure."""

import hashlib
import hmac
from collections.abc import Mapping

__all__ = ["signature"]


def signature(secret: str, parameters: Mapping[str, str], *, path: str = "") -> str:
    """Return the upper-case hex signature; `path` is that of a system call, empty for business calls.

    Source: the vendor's signature rules as measured in sources.md 4.1, whose test vectors the tests hold.
    """
    joined = path + "".join(
        f"{name}{parameters[name]}" for name in sorted(parameters) if name != "sign" and parameters[name] != ""
    )
    return hmac.new(secret.encode(), joined.encode(), hashlib.sha256).hexdigest().upper()
