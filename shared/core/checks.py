"""What settings must fulfil together, and what must not reach the cloud."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from shared.core.settings import Settings

__all__ = ["DEMO_SECRETS", "problems_in_cloud", "problems_together"]

SHORTEST_SECRET = 32
SHORTEST_PASSWORD = 8
# What the simulators of the local run take; whoever reads the documentation knows them.
DEMO_SECRETS = frozenset(
    {
        "demo-password-1",
        "demo-shipbob-token",
        "whsec_ZGVtby1zaGlwYm9iLXdlYmhvb2stc2VjcmV0LTAwMDE=",
        "demo-stord-token",
        "whsec_ZGVtby1zdG9yZC13ZWJob29rLXNlY3JldC0wMDAwMDE=",
        "demo-bigbuy-key",
        "demo-aliexpress-key",
        "demo-aliexpress-app",
        "demo-aliexpress-secret",
        "demo-aliexpress-refresh",
    }
)
_PAIRS = (
    ("BASIC_AUTH_USERNAME", "BASIC_AUTH_PASSWORD"),
    ("ADMIN_EMAIL", "ADMIN_PASSWORD"),
    ("BIGQUERY_PROJECT_ID", "BIGQUERY_DATASET_ID"),
)
_LOCAL_ONLY = ("OPEN_READ", "SIM_FAULTS", "DEMO_PASSWORD", "DEMO_DATA")


def problems_together(settings: "Settings") -> Iterator[str]:
    """Yield what does not fit together, anywhere."""
    for one, other in _PAIRS:
        if (getattr(settings, one.lower()) is None) != (getattr(settings, other.lower()) is None):
            yield f"{one} and {other} belong together: set both or neither."
    if settings.encryption_key and settings.kms_key:
        yield "ENCRYPTION_KEY and KMS_KEY exclude each other: set one of them."
    if settings.jwt_secret and len(settings.jwt_secret.encode()) < SHORTEST_SECRET:
        yield f"JWT_SECRET cannot be used: use at least {SHORTEST_SECRET} bytes."
    if settings.admin_password and len(settings.admin_password) < SHORTEST_PASSWORD:
        yield f"ADMIN_PASSWORD cannot be used: use at least {SHORTEST_PASSWORD} characters."
    if not (len(settings.default_currency) == len("EUR") and settings.default_currency.isupper()):
        yield "DEFAULT_CURRENCY cannot be used: use three capital letters such as EUR."
    for host in settings.fetch_allow_hosts:
        if not _host(host)[0]:
            yield "FETCH_ALLOW_HOSTS cannot be used: use a comma list of host:port."
    for origin in settings.cors_origins:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or f"{parts.scheme}://{parts.netloc}" != origin:
            yield "CORS_ORIGINS cannot be used: use a comma list of origins such as https://shop.example, without path."


def problems_in_cloud(settings: "Settings", given: Mapping[str, str]) -> Iterator[str]:
    """Yield what is fine on a laptop and dangerous in the cloud (K_SERVICE is present)."""
    if settings.environment == "local":
        yield "ENVIRONMENT is local in the cloud: use dev, staging or production."
    for name in _LOCAL_ONLY:
        if name in given and not (name == "OPEN_READ" and not settings.open_read):
            yield f"{name} is for the local run only: remove it."
    for name, value in sorted(given.items()):
        if value.strip() in DEMO_SECRETS and name not in _LOCAL_ONLY:
            yield f"{name} holds a secret of the local simulators: set your own."
    for host in settings.fetch_allow_hosts:
        if _is_private(_host(host)[0]):
            yield "FETCH_ALLOW_HOSTS opens a private address: remove it in the cloud."


def _host(entry: str) -> tuple[str, int]:
    """Split host:port; an unusable entry has no host."""
    try:
        parts = urlsplit(f"//{entry}")
        return (parts.hostname or "", parts.port or 0) if parts.port and not parts.path else ("", 0)
    except ValueError:
        return "", 0


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
