"""The peer's tables and the seed that every floor shares."""

import random
from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

PRODUCTS = 10_000
COLOURS = ("red", "blue", "green")
SUPPLIERS = ("bigbuy", "aliexpress")
QUANTITIES = (0, 3, 12, 50, 10**6)
UPDATED = datetime(2026, 1, 15, 10, 30)


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(40), unique=True, index=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    category: Mapped[str] = mapped_column(String(60), index=True)
    price: Mapped[float]
    supplier: Mapped[str] = mapped_column(String(60))


class Inventory(Base):
    __tablename__ = "inventory"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    store: Mapped[str] = mapped_column(String(40), index=True)
    quantity: Mapped[int] = mapped_column(index=True)
    reorder_level: Mapped[int]
    updated_at: Mapped[datetime]
    product: Mapped[Product] = relationship()


class Purchase(Base):
    __tablename__ = "purchases"

    id: Mapped[int] = mapped_column(primary_key=True)
    inventory_id: Mapped[int] = mapped_column(ForeignKey("inventory.id"), index=True)
    quantity: Mapped[int]
    total: Mapped[float]
    created_at: Mapped[datetime]


def seed():
    """Return the product rows and the inventory rows, as dictionaries: the same for everyone."""
    rng = random.Random(1)
    products = [
        {
            "id": i + 1,
            "sku": f"SKU-{i:06d}",
            "name": f"Ceramic thing {i} {rng.choice(COLOURS)}",
            "category": f"cat-{i % 40}",
            "price": round(rng.uniform(3, 99), 2),
            "supplier": rng.choice(SUPPLIERS),
        }
        for i in range(PRODUCTS)
    ]
    levels = []
    for product in products:
        for store in ("store-0", "store-1"):
            number = len(levels) + 1
            quantity = rng.choice(QUANTITIES)
            levels.append(
                {
                    "id": number,
                    "product_id": product["id"],
                    "store": store,
                    "quantity": _stocked(number, quantity),
                    "reorder_level": 10,
                    "updated_at": UPDATED,
                }
            )
    return products, levels


def _stocked(number, quantity):
    if number == 1:
        return 10
    return 10**8 if number <= 1000 else quantity


def load(engine, *, indexed=False):
    """Create the tables and fill them."""
    from sqlalchemy import insert, text

    Base.metadata.create_all(engine)
    products, levels = seed()
    with engine.begin() as connection:
        connection.execute(insert(Product), products)
        connection.execute(insert(Inventory), levels)
        if indexed:
            connection.execute(text("CREATE INDEX inventory_product_store ON inventory (product_id, store)"))
            connection.execute(text("ANALYZE"))
