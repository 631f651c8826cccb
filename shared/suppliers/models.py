"""What the wire shows of supplier connections, syncs and their schedules, and what it takes."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from shared.core.page import PageQuery
from shared.core.quantities import Version
from shared.core.text import Id, Text, TimeZone
from shared.core.times import From, To

__all__ = [
    "ConnectSupplier",
    "Consent",
    "ConsentAnswer",
    "Frequency",
    "HistoryFilter",
    "NewConsent",
    "NewSyncSchedule",
    "ScheduleFilter",
    "Supplier",
    "SupplierFilter",
    "SupplierPatch",
    "SupplierStatus",
    "SupplierType",
    "SyncRun",
    "SyncSchedule",
    "SyncSchedulePatch",
    "SyncSupplier",
    "SyncType",
    "TriggerSync",
]


class SupplierType(StrEnum):
    """The kinds of suppliers there are."""

    BIGBUY = "bigbuy"
    ALIEXPRESS = "aliexpress"
    FEED = "feed"


class SyncType(StrEnum):
    """What a sync reads."""

    PRODUCTS = "products"
    STOCK = "stock"
    ORDERS = "orders"
    FULL = "full"


class Frequency(StrEnum):
    """How often a schedule starts a sync."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    CRON = "cron"


class Supplier(BaseModel, defer_build=True):
    """A connection; of its credentials only the last four characters are ever shown."""

    id: str
    supplier_type: SupplierType
    name: str
    status: str
    credential_hint: str | None
    config: dict[str, Any]
    auto_sync_stock: bool
    last_sync: datetime | None
    last_sync_status: str | None
    products_count: int
    last_error: str | None
    needs: Literal["consent", "credentials"] | None
    """What only a person can do: consent again at the supplier, or give other credentials."""
    created_at: datetime
    updated_at: datetime
    version: int


Name = Annotated[Text, Field(min_length=1, max_length=255)]
Key = Annotated[str, Field(min_length=1, max_length=2000)]
Address = Annotated[Text, Field(min_length=1, max_length=2000)]
Mapping_ = Annotated[
    dict[Annotated[str, Field(max_length=200)], Annotated[str, Field(max_length=50)]], Field(max_length=200)
]


class AdditionalConfig(BaseModel, defer_build=True):
    """What a kind of supplier wants besides its key; what is secret of it is sealed like the key."""

    app_key: Key | None = None
    app_secret: Annotated[Key | None, Field(repr=False)] = None
    access_token: Annotated[Key | None, Field(repr=False)] = None
    refresh_token: Annotated[Key | None, Field(repr=False)] = None
    sandbox: bool | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = None
    ship_to_country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    token_param: Literal["session", "access_token"] | None = None
    system_base: Literal["rest", "sync"] | None = None
    tracking_method: (
        Literal["aliexpress.ds.order.tracking.get", "aliexpress.logistics.ds.trackinginfo.query"] | None
    ) = None
    feed_url: Address | None = None
    feed_type: Literal["auto", "csv", "tsv", "xml", "json", "jsonl"] | None = None
    mapping_config: Mapping_ | None = None


class ConnectSupplier(BaseModel, defer_build=True):
    """A connection to be made."""

    supplier_type: SupplierType
    api_key: Annotated[Key | None, Field(repr=False)] = None
    name: Name | None = None
    additional_config: AdditionalConfig = AdditionalConfig()
    auto_sync_stock: bool = True


def _landing(address: str) -> str:
    """Accept an address that a browser may bring a code to: https, or plain http on the same machine."""
    parts = urlsplit(address)
    local = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not parts.hostname or parts.fragment or not (local or parts.scheme == "https"):
        raise PydanticCustomError("bad_url", "Give an https address without a fragment (http only for localhost).")
    return address


class NewConsent(BaseModel, defer_build=True):
    """A consent to ask a user for: for a new connection, or for one whose tokens have ended."""

    supplier_type: Literal["aliexpress"] = "aliexpress"
    supplier_id: Id | None = None
    redirect_uri: Annotated[Address, AfterValidator(_landing)]
    name: Name | None = None
    additional_config: AdditionalConfig = AdditionalConfig()
    auto_sync_stock: bool = True


class Consent(BaseModel, defer_build=True):
    """Where a user is sent to consent; the page of `redirect_uri` gets `code` and `state` and hands them back."""

    state: str
    authorize_url: str
    redirect_uri: str
    expires_at: datetime


class ConsentAnswer(BaseModel, defer_build=True):
    """What the user came back with."""

    state: Annotated[str, Field(min_length=1, max_length=200)]
    code: Annotated[str, Field(min_length=1, max_length=1000, repr=False)]


class SupplierPatch(BaseModel, defer_build=True):
    """Changes of a connection; new credentials are checked with the supplier. A GET answer may be edited and sent back."""

    name: Name | None = None
    status: Literal["connected", "error", "disabled"] | None = None
    api_key: Annotated[Key | None, Field(repr=False)] = None
    additional_config: AdditionalConfig | None = None
    auto_sync_stock: bool | None = None
    version: Version | None = None
    id: Any = None
    supplier_type: Any = None
    credential_hint: Any = None
    config: Any = None
    last_sync: Any = None
    last_sync_status: Any = None
    products_count: Any = None
    last_error: Any = None
    needs: Any = None
    created_at: Any = None
    updated_at: Any = None


class SupplierFilter(PageQuery):
    """Which connections to list."""

    supplier_type: Annotated[list[SupplierType] | None, Field(max_length=10)] = None
    status: Annotated[list[Literal["connected", "error", "disabled"]] | None, Field(max_length=10)] = None
    created_from: From | None = None
    created_to: To | None = None


class StatusQuery(BaseModel, defer_build=True):
    """Whether to ask the supplier."""

    check: bool = False


class SupplierStatus(BaseModel, defer_build=True):
    """How a connection stands."""

    success: Literal[True] = True
    status: str
    last_sync: datetime | None
    last_sync_status: str | None
    products_count: int
    last_error: str | None
    needs: Literal["consent", "credentials"] | None
    running_job_id: str | None
    rate_limit: dict[str, Any] | None


Limit = Annotated[int, Field(ge=1, le=10_000)]


class SyncOptions(BaseModel, defer_build=True):
    """Which products to read; without a limit all of them."""

    limit: Limit | None = None
    category_filter: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    in_stock_only: bool = False


class SyncSupplier(SyncOptions):
    """A sync of one connection, of so many products."""

    limit: Limit = 1000
    supplier_id: Id
    sync_type: Literal["products", "stock", "orders"] = "products"


class TriggerSync(BaseModel, defer_build=True):
    """A sync of one connection, or of all that are connected."""

    sync_type: SyncType
    supplier_id: Id | None = None
    platform_id: Annotated[Text, Field(max_length=200)] | None = None
    options: SyncOptions = SyncOptions()


TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


Cron = Annotated[Text, Field(min_length=9, max_length=100)]


class NewSyncSchedule(BaseModel, defer_build=True):
    """A schedule to be made; `cron` is the rule of frequency `cron`: minute, hour, day of month, month, day of week."""

    sync_type: SyncType
    supplier_id: Id
    frequency: Frequency
    time_of_day: TimeOfDay = "03:00"
    weekday: Annotated[int, Field(ge=0, le=6)] | None = None
    cron: Cron | None = None
    timezone: TimeZone = "UTC"
    enabled: bool = True
    options: SyncOptions = SyncOptions()


class SyncSchedulePatch(BaseModel, defer_build=True):
    """Changes of a schedule; a GET answer may be edited and sent back."""

    frequency: Frequency | None = None
    time_of_day: TimeOfDay | None = None
    weekday: Annotated[int, Field(ge=0, le=6)] | None = None
    cron: Cron | None = None
    timezone: TimeZone | None = None
    enabled: bool | None = None
    options: SyncOptions | None = None
    version: Version | None = None
    id: Any = None
    schedule_id: Any = None
    sync_type: Any = None
    supplier_id: Any = None
    last_run_at: Any = None
    last_run_status: Any = None
    next_run_at: Any = None
    created_at: Any = None


class SyncSchedule(BaseModel, defer_build=True):
    """When a sync is started by itself."""

    id: str
    schedule_id: str
    sync_type: SyncType
    supplier_id: str
    frequency: Frequency
    time_of_day: str
    weekday: int | None
    cron: str | None
    timezone: str
    enabled: bool
    options: dict[str, Any]
    last_run_at: datetime | None
    last_run_status: str | None
    next_run_at: datetime | None
    created_at: datetime
    version: int


class ScheduleFilter(PageQuery):
    """Which schedules to list."""

    supplier_id: Annotated[list[Id] | None, Field(max_length=10)] = None
    enabled: bool | None = None
    created_from: From | None = None
    created_to: To | None = None


class SyncRun(BaseModel, defer_build=True):
    """One sync: what it read and did."""

    id: str
    job_id: str
    supplier_id: str
    sync_type: SyncType
    trigger: str
    status: str
    fetched: int
    created: int
    updated: int
    unchanged: int
    failed: int
    errors: list[dict[str, str]]
    started_at: datetime | None
    finished_at: datetime | None


class HistoryFilter(PageQuery):
    """Which syncs to list, newest first."""

    sync_type: Annotated[list[SyncType] | None, Field(max_length=10)] = None
    supplier_id: Annotated[list[Id] | None, Field(max_length=10)] = None
    status: Annotated[
        list[Literal["queued", "running", "succeeded", "failed", "cancelled"]] | None, Field(max_length=10)
    ] = None
    created_from: From | None = None
    created_to: To | None = None
