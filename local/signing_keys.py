"""The public halves of signing keys as the one line that AUTH_PUBLIC_KEYS takes: `python -m local.signing_keys FILE.pem...`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.adapters.jose.keys import Ed25519Private

__all__ = ["main", "public_keys"]


def public_keys(pems: Sequence[str]) -> str:
    """Return the JWKS of private keys in PEM; raise ValueError for anything else."""
    return json.dumps({"keys": [Ed25519Private.from_pem(pem).public.jwk() for pem in pems]}, separators=(",", ":"))


def main(arguments: Sequence[str]) -> int:
    """Print the line for the named files."""
    if not arguments:
        print("name the files of the private keys, newest first", file=sys.stderr)
        return 2
    print(public_keys([Path(name).read_text() for name in arguments]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
