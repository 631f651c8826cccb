"""What the wire shows of vendors, their prices and supplier links, and what it takes."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.core.money import MOST, Currency, Money
from shared.core.page import PageQuery
from shared.core.quantities import Count, Version
from shared.core.text import Id, Search, Text
from shared.core.times import From, To

__all__ = [
    "Comparison",
    "ComparisonQuery",
    "ComparisonRow",
    "LinkBody",
    "LinkFilter",
    "NewVendor",
    "NewVendorPrice",
    "PricesFilter",
    "SupplierLink",
    "Vendor",
    "VendorFilter",
    "VendorPatch",
    "VendorPrice",
    "VendorPriceChange",
    "VendorPricePatch",
    "VendorsOfProduct",
]

MOST_UNITS = 1_000_000_000


def _email(text: str) -> str:
    name, at, host = text.rpartition("@")
    if not at or not name or "." not in host.strip(".") or " " in text or "@" in name:
        raise PydanticCustomError("invalid_email", "Give an e-mail address.")
    return text


def _positive(amount: Decimal) -> Decimal:
    if amount <= 0:
        raise PydanticCustomError("out_of_range", "A price is above 0.")
    return amount


VendorName = Annotated[Text, Field(min_length=1, max_length=255)]
Email = Annotated[Text, Field(max_length=254), AfterValidator(_email)]
Phone = Annotated[Text, Field(max_length=50)]
Address = Annotated[Text, Field(max_length=2000)]
Price = Annotated[
    Money,
    AfterValidator(_positive),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": float(MOST)},
                {"type": "string", "pattern": r"^(?=.*[1-9])[0-9]{1,8}(\.[0-9]{1,2})?$"},
            ]
        },
        mode="validation",
    ),
]
LeadTime = Annotated[int, Field(ge=0, le=365)]
Units = Annotated[int, Field(ge=1, le=MOST_UNITS)]


class Vendor(BaseModel, defer_build=True):
    """Somebody we buy from."""

    id: str
    name: str
    contact_email: str | None
    contact_phone: str | None
    address: str | None
    product_count: int
    created_at: datetime
    updated_at: datetime
    version: int


class NewVendor(BaseModel, defer_build=True):
    """A vendor to make."""

    name: VendorName
    contact_email: Email | None = None
    contact_phone: Phone | None = None
    address: Address | None = None


class VendorPatch(BaseModel, defer_build=True):
    """What to change of a vendor; a GET answer may be edited and sent back."""

    name: VendorName | None = None
    contact_email: Email | None = None
    contact_phone: Phone | None = None
    address: Address | None = None
    version: Version | None = None
    id: Any = None
    product_count: Any = None
    created_at: Any = None
    updated_at: Any = None


class VendorFilter(PageQuery):
    """Which vendors are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("name", "-created_at")

    search: Search | None = None
    created_from: From | None = None
    created_to: To | None = None


class VendorPrice(BaseModel, defer_build=True):
    """What a vendor asks for a product. `pack_size` and `delivery_cost` (of one order) count in the comparison only."""

    id: str
    vendor_id: str
    product_id: str
    unit_price: Money
    currency: str
    lead_time_days: int
    minimum_order_quantity: int
    pack_size: int
    delivery_cost: Money
    is_recommended: bool
    last_updated: datetime
    version: int
    vendor_name: str | None = Field(default=None, exclude_if=lambda name: name is None)
    vendor_email: str | None = None
    vendor_phone: str | None = None


class NewVendorPrice(BaseModel, defer_build=True):
    """A vendor's price to keep, in place of the one there is."""

    product_id: Id
    unit_price: Price
    currency: Currency | None = None
    lead_time_days: LeadTime = 7
    minimum_order_quantity: Units = 1
    pack_size: Units = 1
    delivery_cost: Money = Decimal(0)


class VendorPricePatch(BaseModel, defer_build=True):
    """What to change of a vendor's price; a GET answer may be edited and sent back."""

    unit_price: Price | None = None
    currency: Currency | None = None
    lead_time_days: LeadTime | None = None
    minimum_order_quantity: Units | None = None
    pack_size: Units | None = None
    delivery_cost: Money | None = None
    version: Version | None = None
    id: Any = None
    vendor_id: Any = None
    product_id: Any = None
    is_recommended: Any = None
    last_updated: Any = None
    vendor_name: Any = None
    vendor_email: Any = None
    vendor_phone: Any = None


class PricesFilter(PageQuery):
    """Which prices, or changes of a price, of a vendor are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("-last_updated",)

    created_from: From | None = None
    created_to: To | None = None


class VendorPriceChange(BaseModel, defer_build=True):
    """A vendor's terms that became others; `old` is null for the first."""

    id: str
    vendor_id: str
    product_id: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None
    user_id: str | None
    last_updated: datetime


class VendorsOfProduct(PageQuery):
    """For how many units vendors are looked for; they come cheapest first."""

    SORTS: ClassVar[tuple[str, ...]] = ("unit_price",)

    quantity: Units | None = None


class ComparisonQuery(BaseModel, defer_build=True):
    """For how many units whole orders are compared."""

    quantity: Units = 1


class ComparisonRow(BaseModel, defer_build=True):
    """What an order at one vendor would be. `landed_unit_cost` is the whole cost for each unit that was asked for."""

    vendor_id: str
    vendor_name: str
    unit_price: Money
    currency: str
    order_quantity: int
    surplus: int
    goods_cost: float
    delivery_cost: Money
    total_cost: float
    landed_unit_cost: float
    lead_time_days: int
    is_recommended: bool
    reason: str


class Comparison(BaseModel, defer_build=True):
    """Vendors of a product by what a whole order costs, the best first, and why the first one is recommended."""

    product_id: str
    quantity: int
    currency: str
    recommended_vendor_id: str | None
    reason: str
    rows: list[ComparisonRow]


class SupplierLink(BaseModel, defer_build=True):
    """A product as a connected supplier has it."""

    product_id: str
    supplier_id: str
    supplier_product_id: str
    supplier_sku: str | None
    cost: Money | None
    currency: str
    supplier_stock: int | None
    delivery_days: int | None
    is_active: bool
    last_seen_at: datetime | None


SupplierRef = Annotated[Text, Field(min_length=1, max_length=200)]


class LinkBody(BaseModel, defer_build=True):
    """What is known of a product at a supplier; absent keys of a link that exists stay."""

    supplier_product_id: SupplierRef
    supplier_sku: Annotated[Text, Field(max_length=200)] | None = None
    cost: Money | None = None
    currency: Currency | None = None
    supplier_stock: Count | None = None
    delivery_days: LeadTime | None = None
    is_active: bool = True
    product_id: Any = None
    supplier_id: Any = None
    last_seen_at: Any = None


class LinkFilter(PageQuery):
    """Which links of a product are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("supplier_id",)
