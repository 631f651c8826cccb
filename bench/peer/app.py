"""The peer: FastAPI, one ORM session per request, nested response models, plain `def` endpoints.

Variants (PEER_VARIANT): `naive` (rollback journal, no auth, read-check-write), `peer` (the yardstick: WAL, bearer check,
guarded UPDATE), `indexed` (peer plus a composite index and ANALYZE). PEER_DATABASE names the SQLite file.
"""

import os
from datetime import UTC, datetime
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Query
from pydantic import BaseModel, Field
from sqlalchemy import create_engine, event, func, select, update
from sqlalchemy.orm import Session, joinedload, sessionmaker

from bench.peer.schema import Base, Inventory, Product, Purchase

VARIANT = os.environ.get("PEER_VARIANT", "peer")
SECRET = os.environ.get("PEER_SECRET", "a-secret-of-the-peer-that-is-long-enough")
NAIVE = VARIANT == "naive"

engine = create_engine(
    f"sqlite:///{os.environ.get('PEER_DATABASE', ':memory:')}", connect_args={"check_same_thread": False}
)
Sessions = sessionmaker(engine, autoflush=False)


@event.listens_for(engine, "connect")
def _pragmas(connection, _record):
    if not NAIVE:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")


Base.metadata.create_all(engine)
app = FastAPI()


class ProductOut(BaseModel):
    id: int
    sku: str
    name: str
    category: str
    price: float
    supplier: str


class LevelOut(BaseModel):
    id: int
    store: str
    quantity: int
    reorder_level: int
    updated_at: datetime
    product: ProductOut


class PageOut(BaseModel):
    total: int
    limit: int
    offset: int
    items: list[LevelOut]


class PurchaseIn(BaseModel):
    inventory_id: int
    quantity: int = Field(gt=0)


class PurchaseOut(BaseModel):
    id: int
    inventory_id: int
    quantity: int
    total: float
    created_at: datetime


def session():
    with Sessions() as one:
        yield one


def caller(authorization: Annotated[str | None, Header()] = None):
    if NAIVE:
        return None
    if authorization is None or not authorization.startswith("Bearer "):
        raise HTTPException(401, "not authenticated")
    try:
        return jwt.decode(authorization[7:], SECRET, algorithms=["HS256"])
    except jwt.PyJWTError as wrong:
        raise HTTPException(401, "bad token") from wrong


@app.get("/hello")
def hello():
    return "hello"


@app.get("/inventory", response_model=PageOut)
def list_inventory(
    db: Annotated[Session, Depends(session)],
    _: Annotated[Any, Depends(caller)],
    store: str | None = None,
    category: str | None = None,
    low_stock: bool = False,
    q: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0)] = 0,
):
    wanted = select(Inventory).join(Inventory.product)
    if store:
        wanted = wanted.where(Inventory.store == store)
    if category:
        wanted = wanted.where(Product.category == category)
    if low_stock:
        wanted = wanted.where(Inventory.quantity <= Inventory.reorder_level)
    if q:
        wanted = wanted.where(Product.name.ilike(f"%{q}%"))
    total = db.scalar(select(func.count()).select_from(wanted.subquery()))
    rows = db.scalars(
        wanted.options(joinedload(Inventory.product)).order_by(Inventory.id).limit(limit).offset(offset)
    ).all()
    return {"total": total, "limit": limit, "offset": offset, "items": rows}


@app.post("/purchases", response_model=PurchaseOut, status_code=201)
def purchase(body: PurchaseIn, db: Annotated[Session, Depends(session)], _: Annotated[Any, Depends(caller)]):
    level = db.get(Inventory, body.inventory_id, options=[joinedload(Inventory.product)])
    if level is None:
        raise HTTPException(404, "no such inventory")
    if level.quantity < body.quantity:
        raise HTTPException(409, "not enough stock")
    if NAIVE:
        level.quantity = level.quantity - body.quantity
    else:
        taken = db.execute(
            update(Inventory)
            .where(Inventory.id == body.inventory_id, Inventory.quantity >= body.quantity)
            .values(quantity=Inventory.quantity - body.quantity),
            execution_options={"synchronize_session": False},
        )
        if taken.rowcount == 0:
            raise HTTPException(409, "not enough stock")
    made = Purchase(
        inventory_id=level.id,
        quantity=body.quantity,
        total=level.product.price * body.quantity,
        created_at=datetime.now(UTC),
    )
    db.add(made)
    db.commit()
    db.refresh(made)
    return made
