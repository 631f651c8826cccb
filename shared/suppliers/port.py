"""What a kind of supplier offers to the rest; `shared.adapters.suppliers` implements it."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from shared.core.values import dataclass, field
from shared.orders.suppliers import Gateway, Placed

__all__ = [
    "KNOWN",
    "NEEDS_CONSENT",
    "Item",
    "Notes",
    "Opened",
    "Page",
    "Renewal",
    "Source",
    "TokenKeeping",
    "Unkept",
    "Walk",
]

NEEDS_CONSENT = "needs_consent"
KNOWN = "known"
"""The notes `known.0`, `known.1`, ... list the supplier's ids of the products that are linked when a stock sync begins."""


@dataclass(frozen=True, slots=True)
class Item:
    """What a supplier says of one product; None says nothing and overwrites nothing."""

    supplier_product_id: str
    sku: str | None = None
    name: str | None = None
    description: str | None = None
    barcode: str | None = None
    brand: str | None = None
    category: str | None = None
    images: Sequence[str] = ()
    cost: Decimal | None = None
    currency: str | None = None
    stock: int | None = None
    delivery_days: int | None = None
    is_active: bool | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """What a sync wants: its type, at most so many products (None: all of them), and which."""

    sync_type: str
    limit: int | None = 1000
    category: str | None = None
    in_stock_only: bool = False
    known: int = 0
    """How many notes hold the supplier's ids of products already linked."""


class Notes(Protocol):
    """What a walk has put down on its way, so that its cursor stays small however much it reads."""

    def read(self, names: Sequence[str]) -> dict[str, Any]:
        """Return notes by name, each as it was put down; raise Terminal `notes_gone` when one is missing."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its items, records that could not be read (key, code, message), and where to go on (None: the end).

    A walk names each product once. `creates` says whether an unknown item may become a product. `keeps` are notes (each at
    most some 700 kB as JSON) to put down in the commit that moves the cursor on, `drops` the names of those not needed from
    then on.
    """

    items: Sequence[Item]
    rejected: Sequence[tuple[str, str, str]] = ()
    next: Mapping[str, Any] | None = None
    creates: bool = True
    keeps: Mapping[str, Any] = field(default_factory=dict)
    drops: Sequence[str] = ()


class Source(Gateway, Protocol):
    """One connection, opened. Raises Transient (with the wait that the supplier asked for) and Terminal.

    Terminal `credentials_rejected` means what it says, wherever it is raised; Terminal `needs_consent` that only the user
    can go on, by consenting again.
    """

    def check(self) -> None:
        """Ask the supplier whether the credentials are good."""
        ...

    def begin(self, walk: Walk, notes: Notes) -> Mapping[str, Any]:
        """Return the cursor of the first page; raise Terminal for what this kind cannot do."""
        ...

    def page(self, cursor: Mapping[str, Any], notes: Notes) -> Page:
        """Read one page; reading it again at the same cursor and notes tells the same, as far as the supplier does."""
        ...

    def allowance(self) -> Mapping[str, Any] | None:
        """Return what the supplier last said of its quota (`endpoint`, `limit`, `remaining`, `resets_at`), None: nothing."""
        ...

    def progress(self, placed: Mapping[str, str]) -> dict[str, Placed]:
        """Return how our supplier orders stand: their numbers by our reference are given; unknown ones are left out.

        A status of None says nothing new. Without any, raise as `check` does when the supplier cannot be asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Renewal:
    """Renewed tokens (`api_key`, `refresh_token`, `ends_at`); `is_last` says that they cannot be renewed again."""

    tokens: Mapping[str, str] = field(repr=False)
    is_last: bool = False


class TokenKeeping(Protocol):
    """Where the tokens of a connection are kept, for kinds whose tokens end."""

    def renewed(self, used: str, renew: Callable[[], Renewal]) -> Mapping[str, str]:
        """Return tokens other than the access token that was `used`: those kept meanwhile, else what `renew` returns, kept.

        `renew` runs in one worker at a time; the others wait for what it brings. Its Terminal `needs_consent` is raised on.
        """
        ...


class Unkept:
    """The tokens of a connection that is not stored yet; whoever stores it asks `fresh` for what was renewed meanwhile."""

    def __init__(self) -> None:
        """Begin with none."""
        self.fresh: Mapping[str, str] = {}

    def renewed(self, used: str, renew: Callable[[], Renewal]) -> Mapping[str, str]:
        """Renew."""
        if self.fresh.get("api_key", used) == used:
            self.fresh = renew().tokens
        return self.fresh


@dataclass(frozen=True, slots=True)
class Opened:
    """Credentials and configuration of a connection, unsealed for one use."""

    supplier_id: str
    secrets: Mapping[str, str] = field(repr=False)
    config: Mapping[str, Any] = field(default_factory=dict)
    tokens: TokenKeeping = field(default_factory=Unkept)
