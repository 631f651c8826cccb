"""What the local run adds to the environment: the simulators as vendors, demo credentials, addresses they live at.

A vendor whose `*_BASE_URL` is set is talked to there, with its other variables as set; its simulator is not used.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from shared.core.values import dataclass

__all__ = ["LocalEnvironment", "local_environment"]

_SHOP = 5
"""How far behind the product's own the port of the web shop is; nothing but its address is needed to import from it."""
_SHIPBOB = {
    "SHIPBOB_API_TOKEN": "demo-shipbob-token",
    "SHIPBOB_WEBHOOK_SECRET": "whsec_ZGVtby1zaGlwYm9iLXdlYmhvb2stc2VjcmV0LTAwMDE=",
}
_STORD = {
    "STORD_API_TOKEN": "demo-stord-token",
    "STORD_ORG_ID": "demo-org",
    "STORD_NETWORK_ID": "demo-network",
    "STORD_WEBHOOK_SECRET": "whsec_ZGVtby1zdG9yZC13ZWJob29rLXNlY3JldC0wMDAwMDE=",
}


_BIGBUY = {"BIGBUY_API_KEY": "demo-bigbuy-key"}
_ALIEXPRESS = {
    "ALIEXPRESS_API_KEY": "demo-aliexpress-key",
    "ALIEXPRESS_APP_KEY": "demo-aliexpress-app",
    "ALIEXPRESS_APP_SECRET": "demo-aliexpress-secret",
}


@dataclass(frozen=True, slots=True)
class LocalEnvironment:
    """The variables the product starts with, and the port of each simulator that is to run."""

    variables: Mapping[str, str]
    simulators: Mapping[str, int]


def local_environment(given: Mapping[str, str]) -> LocalEnvironment:
    """Fill in the local defaults around what the environment sets; empty variables count as absent."""
    variables = {name: value for name, value in given.items() if value}
    port = int(variables.setdefault("PORT", "8080"))
    host = variables.setdefault("HOST", "127.0.0.1")
    password = variables.setdefault("DEMO_PASSWORD", "demo-password-1")
    variables.setdefault("WORKER_URL", f"http://{host}:{port}")
    variables.setdefault("CORS_ORIGINS", "http://localhost:3000,http://localhost:5173")
    if "BASIC_AUTH_USERNAME" not in variables:
        variables |= {"BASIC_AUTH_USERNAME": "demo", "BASIC_AUTH_PASSWORD": password}
    wanted = {
        "shipbob": (port + 1, "SHIPBOB_BASE_URL", "", _SHIPBOB),
        "stord": (port + 2, "STORD_BASE_URL", "/v1", _STORD),
        "bigbuy": (port + 3, "BIGBUY_BASE_URL", "", _BIGBUY),
        "aliexpress": (port + 4, "ALIEXPRESS_BASE_URL", "", _ALIEXPRESS),
    }
    simulators = {}
    allowed = [part for part in variables.get("FETCH_ALLOW_HOSTS", "").split(",") if part]
    for name, (own_port, variable, path, credentials) in wanted.items():
        if variable not in variables:
            simulators[name] = own_port
            variables |= credentials | {variable: f"http://127.0.0.1:{own_port}{path}"}
        allowed.append(_address(variables[variable]))
    simulators["shop"] = port + _SHOP
    allowed.append(f"127.0.0.1:{port + _SHOP}")
    variables["FETCH_ALLOW_HOSTS"] = ",".join(dict.fromkeys(allowed))
    return LocalEnvironment(variables, simulators)


def _address(url: str) -> str:
    parts = urlsplit(url)
    default = 443 if parts.scheme == "https" else 80
    return f"{parts.hostname}:{parts.port or default}"
