"""An identity service on a database in memory, with a clock that stands still and cheap password hashes."""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.adapters.argon2 import Argon2
from shared.adapters.jose import Ed25519Private
from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.core.clock import ManualClock
from shared.core.ids import RandomIds
from shared.identity.access import Access, BasicPair
from shared.identity.keys import KeyRing
from shared.identity.models import Registration, TokenPair, User
from shared.identity.passwords import Passwords
from shared.identity.service import IdentityService, Policy
from shared.identity.sessions import Sessions
from shared.identity.throttle import LoginThrottle
from shared.identity.tokens import AccessTokens, Realm, TokenMint
from shared.identity.users import Users
from shared.ports.store import Store

__all__ = ["CHEAP", "PAIR", "PASSWORD", "SHAPES", "House", "encoded", "raw_token"]

PASSWORD = "a perfectly fine passphrase"
PAIR = BasicPair("feed", "feed-password-of-old")
SHAPES = Shapes.read(Path(__file__).resolve().parents[3] / "infra" / "firestore.indexes.json")
CHEAP = Argon2(memory_kib=64, passes=1)


@dataclass
class House:
    """Everything the tests of identity need, wired as the composition root wires it."""

    policy: Policy = field(default_factory=lambda: Policy(registration_open=True, basic=PAIR))
    key: Ed25519Private = field(default_factory=Ed25519Private.generate)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        """Wire it."""
        self.documents = SqliteDocuments.in_memory(SHAPES)
        self.store = Store(self.documents, self.clock)
        self.ids = RandomIds(self.clock)
        self.users = Users(self.store, self.clock, self.ids)
        self.passwords = Passwords(CHEAP)
        ring = KeyRing([self.key.public])
        self.tokens = AccessTokens(lambda: ring, Realm(), self.clock)
        self.access = Access(self.tokens, basic=self.policy.basic)
        self.identity = IdentityService(
            users=self.users,
            sessions=Sessions(self.store, self.clock, self.ids),
            throttle=LoginThrottle(self.store, self.clock),
            passwords=self.passwords,
            mint=TokenMint(lambda: self.key, Realm(), self.clock, self.ids),
            policy=self.policy,
        )

    def a_user(self, email: str = "ada@example.com", **fields: Any) -> User:
        """Register somebody."""
        return self.identity.register(Registration(email=email, password=PASSWORD, **fields))

    def a_session(self, email: str = "ada@example.com") -> TokenPair:
        """Sign somebody in."""
        return self.identity.login(email, PASSWORD)


def encoded(raw: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw_token(key: Ed25519Private, header: str | dict[str, Any], payload: str | bytes | dict[str, Any]) -> str:
    """Sign any header and payload texts, however wrong, with the right key."""
    head = header if isinstance(header, str) else json.dumps(header)
    body = json.dumps(payload) if isinstance(payload, dict) else payload
    signed = f"{encoded(head.encode())}.{encoded(body.encode() if isinstance(body, str) else body)}"
    return f"{signed}.{encoded(key._key.sign(signed.encode()))}"
