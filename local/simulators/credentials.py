"""The credentials the simulators accept: obviously not real, fixed by the HTTP contract (section 6), refused in the cloud."""

__all__ = [
    "ALIEXPRESS_APP",
    "ALIEXPRESS_REFRESH",
    "ALIEXPRESS_SECRET",
    "ALIEXPRESS_TOKEN",
    "BIGBUY_KEY",
    "SHIPBOB_TOKEN",
    "SHIPBOB_WEBHOOK_SECRET",
    "STORD_NETWORK_ID",
    "STORD_ORG_ID",
    "STORD_TOKEN",
    "STORD_WEBHOOK_SECRET",
]

SHIPBOB_TOKEN = "demo-shipbob-token"  # noqa: S105 (made to be known)
SHIPBOB_WEBHOOK_SECRET = "whsec_ZGVtby1zaGlwYm9iLXdlYmhvb2stc2VjcmV0LTAwMDE="  # noqa: S105 (made to be known)
STORD_TOKEN = "demo-stord-token"  # noqa: S105 (made to be known)
STORD_ORG_ID = "demo-org"
STORD_NETWORK_ID = "demo-network"
STORD_WEBHOOK_SECRET = "whsec_ZGVtby1zdG9yZC13ZWJob29rLXNlY3JldC0wMDAwMDE="  # noqa: S105 (made to be known)
BIGBUY_KEY = "demo-bigbuy-key"
ALIEXPRESS_TOKEN = "demo-aliexpress-key"  # noqa: S105 (made to be known)
ALIEXPRESS_APP = "demo-aliexpress-app"
ALIEXPRESS_SECRET = "demo-aliexpress-secret"  # noqa: S105 (made to be known)
ALIEXPRESS_REFRESH = "demo-aliexpress-refresh"
