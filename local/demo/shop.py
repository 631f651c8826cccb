"""The demo shop's catalogue and vendors: 40 products in 6 categories, 5 vendors with what they ask.

Other seeds find products by SKU (`DEMO_SKUS`), through `app.find_skus`.
"""

from decimal import Decimal
from typing import Any

from local.demo.chance import chance
from shared.catalog.barcodes import check_digit
from shared.catalog.change_models import NewProduct
from shared.core.caller import SYSTEM
from shared.ports.documents import Query
from shared.purchasing.models import NewVendor, NewVendorPrice
from shared.purchasing.vendors import VENDORS

__all__ = ["DEMO_SKUS", "PRODUCTS", "VENDORS_OF_DEMO", "seed_catalogue", "seed_vendors"]

_SEED = "demo-shop"
_CATEGORIES: dict[str, tuple[tuple[str, str, int, int], ...]] = {
    "Apparel": (
        ("TEE-1", "Organic tee black", 1890, 30),
        ("TEE-10", "Organic tee white", 1890, 30),
        ("CAP-2", "Canvas cap sand", 1450, 15),
        ("SOCK-1", "Merino socks", 1190, 40),
        ("SCARF-1", "Wool scarf plum", 3900, 10),
        ("BELT-1", "Leather belt", 2950, 8),
        ("GLOVE-1", "Touch gloves", 2250, 12),
    ),
    "Kitchen": (
        ("MUG-1", "Stoneware mug clay", 1290, 25),
        ("FLASK-1", "Steel flask 0.5 l", 2490, 20),
        ("FLASK-2", "Steel flask 1 l", 2990, 15),
        ("TOWEL-1", "Linen towel", 1690, 20),
        ("BRUSH-1", "Bamboo brush", 690, 30),
        ("BOARD-1", "Oak cutting board", 3490, 8),
        ("KNIFE-1", "Paring knife", 1990, 10),
    ),
    "Home": (
        ("LAMP-1", "Desk lamp brass", 6900, 5),
        ("LAMP-2", "Floor lamp black", 12900, 3),
        ("CANDLE-1", "Soy candle fig", 1690, 25),
        ("CANDLE-2", "Soy candle cedar", 1690, 25),
        ("PLANT-1", "Indoor plant small", 1490, 10),
        ("PRINT-1", "Art print A3", 2490, 10),
        ("VASE-1", "Glass vase", 3290, 6),
    ),
    "Grocery": (
        ("TEA-1", "Green tea tin", 990, 40),
        ("TEA-2", "Black tea tin", 990, 40),
        ("SPICE-1", "Spice blend", 590, 50),
        ("COFFEE-1", "Coffee beans 500 g", 1390, 60),
        ("HONEY-1", "Forest honey", 890, 30),
        ("OLIVE-1", "Olive oil 0.75 l", 1290, 35),
        ("CHOC-1", "Dark chocolate", 390, 80),
    ),
    "Care": (
        ("SOAP-1", "Olive soap", 590, 60),
        ("SOAP-2", "Lavender soap", 590, 60),
        ("CREAM-1", "Hand cream", 1190, 30),
        ("OIL-1", "Bath oil", 1890, 15),
        ("COMB-1", "Wooden comb", 890, 20),
        ("BALM-1", "Lip balm", 450, 50),
    ),
    "Paper and play": (
        ("BOOK-1", "Dotted notebook", 1250, 40),
        ("BOOK-2", "Lined notebook", 1250, 40),
        ("PEN-1", "Brass pen", 3900, 10),
        ("GAME-1", "Card game", 1490, 20),
        ("PUZZLE-1", "Puzzle 1000", 2190, 12),
        ("BAG-1", "Tote bag", 1390, 35),
    ),
}
_BRANDS = ("Harbour", "Linden", "Northfield", "Oak & Ash", "Plain Goods")
VENDORS_OF_DEMO = (
    ("Atlas Trading", "orders@atlas.example", "+31 20 555 0101", 5, 1),
    ("Baltic Supply", "sales@baltic.example", "+49 40 555 0102", 10, 12),
    ("Cedar Wholesale", "hello@cedar.example", "+33 1 55 55 01 03", 7, 6),
    ("Delta Import", "desk@delta.example", "+34 93 555 0104", 21, 48),
    ("Evergreen Makers", "studio@evergreen.example", "+43 1 555 0105", 3, 1),
)
"""Name, e-mail, phone, usual lead time in days, usual minimum order."""


def _products() -> list[NewProduct]:
    """Return the forty products, the same at every start."""
    rng = chance(_SEED)
    made: list[NewProduct] = []
    for category, rows in _CATEGORIES.items():
        for sku, name, cents, threshold in rows:
            digits = f"{200_000_000_000 + len(made):012d}"
            price = Decimal(cents) / 100
            made.append(
                NewProduct(
                    sku=sku,
                    name=name,
                    category=category,
                    brand=rng.choice(_BRANDS),
                    barcode=digits + check_digit(digits),
                    sale_price=price.quantize(Decimal("0.01")),
                    unit_cost=(price * rng.randrange(40, 66) / 100).quantize(Decimal("0.01")),
                    reorder_threshold=threshold,
                    package_size=rng.choice(("1", "6", "12")),
                    tags=[category.split()[0].lower()],
                )
            )
    return made


PRODUCTS = _products()
DEMO_SKUS = tuple(str(product.sku) for product in PRODUCTS)


def seed_catalogue(app: Any) -> None:
    """Make the products that are missing, and with them the categories."""
    present = app.find_skus(DEMO_SKUS)
    for product in PRODUCTS:
        if product.sku not in present:
            app.products.create(SYSTEM, product)


def seed_vendors(app: Any) -> None:
    """Make the vendors that are missing, and what each of them asks for some products."""
    rng = chance(_SEED, "vendors")
    ids = app.find_skus(DEMO_SKUS)
    known = {stored.data["name"]: stored for stored in app.store.query(Query(VENDORS, order_by="name", limit=100))}
    for name, email, phone, lead_time, minimum in VENDORS_OF_DEMO:
        vendor = known.get(name) or app.vendors.create(NewVendor(name=name, contact_email=email, contact_phone=phone))
        for product in rng.sample(PRODUCTS, 20):
            cost = product.unit_cost or Decimal(1)
            price = NewVendorPrice(
                product_id=ids[str(product.sku)],
                unit_price=(cost * rng.randrange(90, 121) / 100).quantize(Decimal("0.01")),
                lead_time_days=lead_time,
                minimum_order_quantity=minimum,
                pack_size=rng.choice((1, 6, 12)),
                delivery_cost=Decimal(rng.choice((0, 0, 5, 15))),
            )
            app.store.atomically(lambda vendor=vendor, price=price: app.vendor_prices.put(SYSTEM, vendor.key.id, price))
