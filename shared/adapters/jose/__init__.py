"""Keys and signatures of JSON Web Tokens, by PyJWT and cryptography, which are loaded with the first token."""

from shared.adapters.jose.files import local_keys
from shared.adapters.jose.keys import Ed25519Private, Ed25519Public, RsaPublic, read_jwks

__all__ = ["Ed25519Private", "Ed25519Public", "RsaPublic", "local_keys", "read_jwks"]
