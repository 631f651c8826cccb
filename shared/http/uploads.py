"""Multipart bodies: their fields and files, read from the bytes that were received within their limit."""

import hashlib
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Request

from shared.core.errors import BadRequest, FieldError
from shared.core.values import dataclass

__all__ = ["File", "Upload", "upload_of"]

_MOST_PARTS = 100
_MOST_FIELD = 2**20


@dataclass(frozen=True, slots=True)
class File:
    """One file of a form: the name its sender gave it, without folders, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Upload:
    """The parts of a form."""

    fields: Mapping[str, str]
    files: Mapping[str, File]

    def canonical(self) -> Any:
        """Return what two equal uploads have in common, whatever the boundary between their parts."""
        hashes = {name: [file.name, hashlib.sha256(file.data).hexdigest()] for name, file in self.files.items()}
        return [sorted(self.fields.items()), sorted(hashes.items())]


def upload_of(request: Request, body: bytes) -> Upload:
    """Return the parts of a multipart body; raise BadRequest when it is malformed, or names a part twice or not at all."""
    if "boundary" not in request.mimetype_params:
        raise _bad("not_form", "The form does not name its boundary.")
    parser = FormDataParser(
        stream_factory=_in_memory,
        max_form_memory_size=_MOST_FIELD,
        max_form_parts=_MOST_PARTS,
        silent=False,
    )
    try:
        _, form, files = parser.parse(BytesIO(body), request.mimetype, len(body), request.mimetype_params)
    except (ValueError, HTTPException):
        raise _bad("not_form", "The body is not a form, or has too many parts.") from None
    fields, found = list(form.items(multi=True)), list(files.items(multi=True))
    names: list[str | None] = [name for name, _ in (*fields, *found)]
    if None in names:
        raise _bad("not_form", "A part of the form has no name.")
    if len(set(names)) != len(names):
        raise _bad("duplicate_key", "A field comes twice in the form.")
    return Upload(dict(fields), {name: File(_base(file.filename or ""), file.stream.read()) for name, file in found})


def _in_memory(
    total_content_length: int | None = None,  # noqa: ARG001 - what the parser knows does not matter here
    content_type: str | None = None,  # noqa: ARG001 - what the parser knows does not matter here
    filename: str | None = None,  # noqa: ARG001 - what the parser knows does not matter here
    content_length: int | None = None,  # noqa: ARG001 - what the parser knows does not matter here
) -> IO[bytes]:
    """Hold a part in memory: the whole body is within its limit and in memory already."""
    return BytesIO()


def _base(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2][:255]


def _bad(code: str, detail: str) -> BadRequest:
    return BadRequest(detail, errors=(FieldError("", code, detail),))
