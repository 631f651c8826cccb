"""Bytecode for a bundle: valid wherever it is unzipped, and the same bytes for the same source in every process.

A start without bytecode takes about 2.5 times as long, and what an unpacked file is dated is nobody's promise; so each file's
bytecode says "unchecked": Python takes it without looking at the source's date (PEP 552). It only counts for the runtime of the
cloud (`RUNTIME`): another Python looks under another name, and one whose bytecode has another magic number compiles as if there
were none. Marshalled code depends on how often its strings are referred to in the process that writes it; holding every one of
them makes all references the same (and single characters, which a process has once, are interned whether or not it did so before).
"""

import marshal
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import PurePosixPath
from types import CodeType

__all__ = ["RUNTIME", "bytecode_name", "compiled", "spoken"]

RUNTIME = "cpython-311"
"""The Python of the deployed functions, as Python names it; Terraform's `runtime` is the same."""
_UNCHECKED = (1).to_bytes(4, "little")


def spoken() -> bool:
    """Say whether the Python that runs here writes bytecode for the runtime."""
    return sys.implementation.cache_tag == RUNTIME


def bytecode_name(name: str) -> str:
    """Return where Python looks for the bytecode of a source file of this name, relative to the same folder."""
    path = PurePosixPath(name)
    return str(path.parent / "__pycache__" / f"{path.stem}.{RUNTIME}.pyc")


@cache
def compiled(name: str, source: bytes) -> bytes:
    """Return the bytecode file of a source of this name; raise SyntaxError when it is not Python."""
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    held = [sys.intern(text) if len(text) <= 1 else text for text in _strings(code)]
    body = marshal.dumps(code)
    del held
    return MAGIC_NUMBER + _UNCHECKED + source_hash(source) + body


def _strings(part: object) -> Iterator[str]:
    """Yield every string in some code or constant, however deep."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, tuple | frozenset):
        for each in part:
            yield from _strings(each)
    elif isinstance(part, CodeType):
        names = (part.co_names, part.co_varnames, part.co_freevars, part.co_cellvars)
        for each in (part.co_filename, part.co_name, part.co_qualname, *names, part.co_consts):
            yield from _strings(each)
