"""The settings: one frozen object read from the environment; all problems are reported together.

Empty means absent. Without any variable the embedded defaults run. `shared.core.settings_table` writes `.env.example` and the
table of the documentation from the declarations below.
"""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from shared.core.caller import Role
from shared.core.values import dataclass
from shared.core.variables import (
    Variable,
    address,
    choice,
    currency,
    flag,
    items,
    role,
    secret,
    secret_name,
    text,
    url,
    variable,
    whole,
)

__all__ = ["DEMO_SECRETS", "VARIABLES", "Settings", "SettingsError"]

_LIMIT = whole(0, 1_000_000)

_SHORTEST_SECRET = 32
_SHORTEST_PASSWORD = 8
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


class SettingsError(Exception):
    """The environment cannot be used; `problems` names every reason and its fix."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Take all problems."""
        super().__init__("The settings are not usable:\n" + "\n".join(f"- {problem}" for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, repr=False)
class Settings:
    """Every setting of the product. Field names are the variables' names in lower case."""

    port: int = variable("Local port.", whole(0, 65535), 8080)
    host: str = variable("Local address to listen on.", text, "127.0.0.1")
    data_dir: str = variable("Folder of the embedded backends.", text, ".data")
    environment: Literal["local", "dev", "staging", "production"] = variable(
        "Kind of deployment: local, dev, staging, production.",
        choice("local", "dev", "staging", "production"),
        "local",
        in_cloud="production",
    )
    store_url: str = variable(
        "Documents: embedded, or `firestore://project/database`.",
        url("sqlite:///file", "firestore://project/database"),
        shown="sqlite:///<DATA_DIR>/onhand.db",
    )
    warehouse_url: str = variable(
        "Warehouse: embedded, or `bigquery://project/dataset`.",
        url("duckdb:///file", "bigquery://project/dataset"),
        shown="duckdb:///<DATA_DIR>/warehouse.duckdb",
    )
    tasks_url: str = variable(
        "Queue: embedded, or `cloudtasks://project/location`.",
        url("local://", "cloudtasks://project/location"),
        "local://",
    )
    files_url: str = variable(
        "Place of uploaded files: a folder in DATA_DIR, or `gs://bucket`.",
        url("local://", "gs://bucket"),
        "local://",
    )
    schedules_url: str = variable(
        "Schedules: embedded, or `cloudscheduler://project/location`.",
        url("local://", "cloudscheduler://project/location"),
        "local://",
    )
    bigquery_project_id: str | None = variable("With BIGQUERY_DATASET_ID stands for WAREHOUSE_URL.", text)
    bigquery_dataset_id: str | None = variable("With BIGQUERY_PROJECT_ID stands for WAREHOUSE_URL.", text)
    bigquery_table_stord_oos: str = variable("Table of Stord's held lines.", text, "oos_stord")
    bigquery_table_shipbob_oos: str = variable("Table of ShipBob's held lines.", text, "oos_shipbob")
    bigquery_table_last_refresh: str = variable("Table of refreshes.", text, "refresh_runs")
    google_application_credentials: str | None = variable("As the Google clients read it.", text)

    basic_auth_username: str | None = variable("Username of the one legacy Basic pair.", text)
    basic_auth_password: str | None = variable("Password of the one legacy Basic pair.", secret, secret=True)
    basic_auth_role: Role = variable("Role of the Basic pair.", role, Role.OPERATOR)
    auth_signing_key: str | None = variable(
        "Ed25519 PEM that signs access tokens; only for the function `auth`.",
        secret,
        secret=True,
        shown="made in DATA_DIR locally",
    )
    auth_previous_public_key: str | None = variable("Ed25519 PEM of the key before, during a rotation.", secret)
    auth_public_keys: str | None = variable("JWKS that checks access tokens, for the other functions.", secret)
    auth_issuer: str = variable("Issuer of access tokens.", text, "onhand")
    auth_audience: str = variable("Audience of access tokens.", text, "onhand-api")
    jwt_secret: str | None = variable(
        "HS256 secret (at least 32 bytes) of tokens from another issuer.", secret, also=("JWT_SECRET_KEY",), secret=True
    )
    external_jwks_url: str | None = variable("Keys of another issuer of tokens.", address)
    external_issuer: str | None = variable("Name of the other issuer.", text)
    external_audience: str = variable("Audience of its tokens.", text, "authenticated")
    encryption_key: str | None = variable(
        "Base64 of 32 bytes that seal supplier credentials.", secret, secret=True, shown="made in DATA_DIR locally"
    )
    sealing_keys: str | None = variable(
        "Secret in Secret Manager whose versions are such keys, instead of ENCRYPTION_KEY.", secret_name
    )
    kms_key: str | None = variable("Name of a KMS key, instead of ENCRYPTION_KEY.", text)
    admin_email: str | None = variable("First admin on an empty store.", text)
    admin_password: str | None = variable("The first admin's password.", secret, secret=True)
    registration: Literal["open", "closed"] = variable(
        "Whether people may register: open, closed.", choice("open", "closed"), "open", in_cloud="closed"
    )
    registration_role: Role = variable("Role of who registers.", role, Role.OPERATOR)
    open_read: bool = variable("GET without credentials acts as a viewer.", flag, default=False, local_only=True)
    cors_origins: tuple[str, ...] = variable(
        "Origins whose pages may call.", items, ("http://localhost:3000", "http://localhost:5173"), in_cloud=()
    )

    shipbob_base_url: str = variable("ShipBob's address.", address, "https://api.shipbob.com")
    shipbob_api_token: str | None = variable("Token; ShipBob is configured when it is set.", secret, secret=True)
    shipbob_api_version: str = variable("Version of ShipBob's API.", text, "2026-07")
    shipbob_channel_id: str | None = variable("Channel to read.", text)
    shipbob_primary_location_id: str = variable("Location shown as fontana on legacy paths.", text, "250")
    shipbob_webhook_secret: str | None = variable("Secret of ShipBob's webhooks.", secret, secret=True)
    stord_base_url: str = variable("Stord's address.", address, "https://api-next.stord.com/v1")
    stord_api_token: str | None = variable("Token; Stord is configured when it is set.", secret, secret=True)
    stord_org_id: str | None = variable("Organisation at Stord.", text)
    stord_network_id: str | None = variable("Network at Stord.", text)
    stord_channel_ids: tuple[str, ...] = variable("Channels to read; empty means all.", items, (), shown="all")
    stord_statuses: tuple[str, ...] = variable("Order states to read.", items, ("open",))
    stord_webhook_secret: str | None = variable("Secret of Stord's webhooks.", secret, secret=True)

    bigbuy_base_url: str = variable("BigBuy's address.", address, "https://api.bigbuy.eu")
    bigbuy_api_key: str | None = variable("Key used when connecting without one.", secret, secret=True)
    aliexpress_base_url: str = variable("AliExpress' address.", address, "https://api-sg.aliexpress.com")
    aliexpress_app_key: str | None = variable("AliExpress' app key.", secret, secret=True)
    aliexpress_app_secret: str | None = variable("AliExpress' app secret.", secret, secret=True)
    aliexpress_api_key: str | None = variable("AliExpress' access token.", secret, secret=True)
    ai_base_url: str | None = variable("OpenAI-compatible text service; absent means the template writer.", address)
    ai_api_key: str | None = variable("Key of the text service.", secret, also=("LOVABLE_API_KEY",), secret=True)
    ai_model: str | None = variable("Model of the text service.", text)
    ai_monthly_quota: int = variable("Texts a month.", whole(0, 10_000_000), 1000)
    ai_daily_quota: int | None = variable("Texts a day; absent is no bound.", whole(0, 10_000_000))
    ai_user_daily_quota: int | None = variable("Texts a day for one user; absent is no bound.", whole(0, 10_000_000))
    firecrawl_base_url: str = variable(
        "Page reader: a server that speaks Firecrawl's scrape API (version 1).", address, "https://api.firecrawl.dev"
    )
    firecrawl_api_key: str | None = variable(
        "Key of the page reader; it is asked for pages that show no product before their scripts run.",
        secret,
        secret=True,
    )
    barcode_lookup_url: str | None = variable(
        "Optional look-up of barcodes outside; `{barcode}` in it stands for the code, else the code follows.", address
    )
    barcode_lookup_key: str | None = variable("Its key.", secret, secret=True)
    smtp_url: str | None = variable("Mail server for alerts; absent means logged only.", secret, secret=True)
    mail_from: str | None = variable("Sender of alert mail.", text)
    alert_webhook_url: str | None = variable(
        "Where opened and escalated alerts are posted to (also a chat hook).", address
    )
    alert_webhook_secret: str | None = variable("What those posts are signed with (HMAC-SHA256).", secret, secret=True)

    default_currency: str = variable("Currency of this merchant (ISO 4217).", currency, "EUR")
    order_sla_hours: int = variable("Hours until a pending transfer order is late.", whole(1, 8760), 48)
    refresh_stale_minutes: int = variable("Age at which held orders count as stale.", whole(1, 10_080), 60)
    rate_limit_ip: int = variable("Requests a minute per address without credentials; 0 is off.", _LIMIT, 100)
    rate_limit_user: int = variable("Requests a minute per user; 0 is off.", _LIMIT, 600)
    rate_limit_login: int = variable("Logins a minute per address; 0 is off.", _LIMIT, 10)
    rate_limit_refresh: int = variable("Refreshes a minute per user; 0 is off.", _LIMIT, 10)
    rate_limit_costly: int = variable("Costly requests a minute per user; 0 is off.", _LIMIT, 30)
    trusted_proxy_hops: int = variable(
        "Proxies in front, counted from the right of X-Forwarded-For.", whole(0, 10), 0, in_cloud=1
    )
    require_preconditions: bool = variable("Changes need If-Match.", flag, default=False)
    require_idempotency_key: bool = variable("Stock, sales and fulfilment need a key.", flag, default=False)
    strict_barcodes: bool = variable("Barcodes need a right check digit.", flag, default=False)
    fetch_allow_hosts: tuple[str, ...] = variable("`host:port` list let through the outbound guard.", items, ())
    worker_url: str | None = variable("Address of the worker.", address, shown="local")
    worker_audience: str | None = variable("Audience of internal calls.", text, shown="local")
    worker_invokers: tuple[str, ...] = variable("Accounts that may make internal calls.", items, (), shown="local")
    metrics_token: str | None = variable("Bearer that may read /metrics.", secret, secret=True)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = variable(
        "DEBUG, INFO, WARNING or ERROR.",
        lambda value: choice("debug", "info", "warning", "error")(value).upper(),
        "INFO",
    )
    demo_password: str = variable(
        "Password of the demo users.", secret, "demo-password-1", secret=True, local_only=True
    )
    demo_data: bool = variable("Whether demo data is loaded.", flag, default=True, local_only=True)
    sim_faults: tuple[str, ...] = variable("Faults of the simulators from the start.", items, (), local_only=True)

    in_cloud: bool = False
    service: str = "local"
    """Name of the deployed service, as the platform tells it."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings; raise SettingsError naming everything that is wrong, with its fix."""
        given = {name: value for name, value in environ.items() if value.strip()}
        in_cloud = "K_SERVICE" in given
        problems: list[str] = []
        values = {name: _value(name, each, given, problems, in_cloud=in_cloud) for name, each in VARIABLES.items()}
        settings = _completed(cls(**values, in_cloud=in_cloud, service=given.get("K_SERVICE", "local")))
        problems += _problems_together(settings)
        if in_cloud:
            problems += [*_problems_in_cloud(settings, given), *_problems_of_keys(settings)]
        if problems:
            raise SettingsError(problems)
        return settings

    def secrets(self) -> frozenset[str]:
        """Return the values that must appear nowhere."""
        values = (getattr(self, name) for name, each in VARIABLES.items() if each.secret)
        return frozenset(value for value in values if value)

    def __repr__(self) -> str:
        """Show what is set, never a secret."""
        shown = (f"{name}={getattr(self, name)!r}" for name, each in VARIABLES.items() if not each.secret)
        return f"Settings({', '.join(shown)})"


VARIABLES: Mapping[str, Variable] = {
    each.name: each.metadata["variable"] for each in fields(Settings) if "variable" in each.metadata
}


def _value(name: str, each: Variable, given: Mapping[str, str], problems: list[str], *, in_cloud: bool) -> Any:
    """Return one value, or its default and a problem."""
    default = each.in_cloud if in_cloud and each.in_cloud is not ... else each.default
    for spelling in (name.upper(), *each.also):
        if spelling in given:
            try:
                return each.read(given[spelling])
            except ValueError as error:
                problems.append(f"{spelling} cannot be used: {error}.")
                return default
    return default


def _completed(settings: Settings) -> Settings:
    """Fill in the addresses of the embedded backends, and the warehouse that the BIGQUERY_ pair stands for."""
    warehouse: str | None = settings.warehouse_url
    if warehouse is None and settings.bigquery_project_id and settings.bigquery_dataset_id:
        warehouse = f"bigquery://{settings.bigquery_project_id}/{settings.bigquery_dataset_id}"
    return replace(
        settings,
        store_url=settings.store_url or f"sqlite:///{settings.data_dir}/onhand.db",
        warehouse_url=warehouse or f"duckdb:///{settings.data_dir}/warehouse.duckdb",
    )


def _problems_together(settings: Settings) -> Iterator[str]:
    """Yield what does not fit together, anywhere."""
    for one, other in _PAIRS:
        if (getattr(settings, one.lower()) is None) != (getattr(settings, other.lower()) is None):
            yield f"{one} and {other} belong together: set both or neither."
    if sum(map(bool, (settings.encryption_key, settings.sealing_keys, settings.kms_key))) > 1:
        yield "ENCRYPTION_KEY, SEALING_KEYS and KMS_KEY exclude each other: set one of them."
    yield from _problems_of_calls(settings)
    if settings.jwt_secret and len(settings.jwt_secret.encode()) < _SHORTEST_SECRET:
        yield f"JWT_SECRET cannot be used: use at least {_SHORTEST_SECRET} bytes."
    if settings.admin_password and len(settings.admin_password) < _SHORTEST_PASSWORD:
        yield f"ADMIN_PASSWORD cannot be used: use at least {_SHORTEST_PASSWORD} characters."
    if not all(_host(entry) for entry in settings.fetch_allow_hosts):
        yield "FETCH_ALLOW_HOSTS cannot be used: use a comma list of host:port."
    if not all(_is_origin(each) for each in settings.cors_origins):
        yield "CORS_ORIGINS cannot be used: use a comma list of origins such as https://shop.example, without path."


def _problems_of_calls(settings: Settings) -> Iterator[str]:
    """Yield what the platform's queue needs to know and is not told."""
    if settings.tasks_url.startswith("cloudtasks:") and not (settings.worker_url and settings.worker_invokers):
        yield "TASKS_URL names Cloud Tasks: set WORKER_URL and WORKER_INVOKERS too."


def _problems_in_cloud(settings: Settings, given: Mapping[str, str]) -> Iterator[str]:
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
        if _is_private(_host(host)):
            yield "FETCH_ALLOW_HOSTS opens a private address: remove it in the cloud."


def _problems_of_keys(settings: Settings) -> Iterator[str]:
    """Yield that a function in the cloud would have to make up the keys it checks tokens with."""
    external = settings.external_jwks_url or settings.jwt_secret
    if not (settings.auth_signing_key or settings.auth_public_keys or external):
        yield "No key checks access tokens: set AUTH_SIGNING_KEY (the function auth) or AUTH_PUBLIC_KEYS (the others)."


def _host(entry: str) -> str:
    """Return the host of host:port, nothing for an unusable entry."""
    try:
        parts = urlsplit(f"//{entry}")
        usable = parts.port and not parts.path
    except ValueError:
        usable = False
    return (parts.hostname or "") if usable else ""


def _is_origin(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and text == f"{parts.scheme}://{parts.netloc}"


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
