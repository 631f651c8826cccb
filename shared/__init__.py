"""The package every Onhand function shares: core, ports, adapters, http and the domains.

Importing any of it first makes the start of a process light (`docs/decisions/0018`, with the figures): three settings of the
interpreter and of the validation library that change no result.
"""

import gc
import os
from importlib import import_module

from shared.core.values import lent

# Nearly every object of a cold start stays: with the interpreter's own threshold (700) looking through them took up to a seventh of it.
gc.set_threshold(50_000, 20, 50)
# With its first model the validation library asks every installed distribution whether it is a plugin of it; none of ours is.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
# Of its fifty dataclasses a request uses few; compiling all their methods was a tenth of a bare start of the platform.
with lent():
    for _name in ("main", "types", "fields", "functional_validators", "functional_serializers"):
        import_module(f"pydantic.{_name}")
