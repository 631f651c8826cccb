"""Users as the older OOS backend and the store operations demo know them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, PrivateAttr

from shared.core.caller import Role
from shared.core.text import Search
from shared.identity.models import GivenPassword, RoleWord, Scope, User

__all__ = ["LegacyUser", "LegacyUserFilter", "LegacyUserMade", "ShopLogin"]


class LegacyUser(BaseModel, defer_build=True):
    """A user row; clients of both backends find their keys."""

    id: str
    user_id: str
    username: str
    email: str | None
    first_name: str | None
    last_name: str | None
    role: Role
    store_id: str | None
    region: str | None
    avatar_url: str | None
    is_active: bool
    created_at: datetime
    _version: int = PrivateAttr(1)

    @classmethod
    def of(cls, user: User) -> "LegacyUser":
        """Show a user."""
        shown = user.model_dump(include=set(cls.model_fields) - {"user_id"})
        made = cls(**shown, user_id=user.id)
        made._version = user.version
        return made

    @property
    def version(self) -> int:
        """Return the version of the user shown, for the tag: the older backends know none."""
        return self._version


class LegacyUserFilter(BaseModel, defer_build=True):
    """Which rows are wanted; several values of one filter mean any of them."""

    role: Annotated[list[RoleWord], Field(max_length=10)] = []
    store_id: Annotated[list[Scope], Field(max_length=10)] = []
    region: Annotated[list[Scope], Field(max_length=10)] = []
    search: Search | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100

    def fits(self, user: User) -> bool:
        """Say whether a row matches the lists."""
        wanted: list[tuple[list[Any], Any]] = [
            (self.role, user.role),
            (self.store_id, user.store_id),
            (self.region, user.region),
        ]
        return all(not values or value in values for values, value in wanted)


class LegacyUserMade(BaseModel, defer_build=True):
    """The answer to a new user, in the shapes of both backends at once."""

    success: bool = True
    data: dict[str, str]
    message: str = "User created successfully"
    error: None = None
    user_id: str
    username: str
    role: Role

    @classmethod
    def of(cls, user: User) -> "LegacyUserMade":
        """Say which user was made."""
        return cls(data={"user_id": user.id}, user_id=user.id, username=user.username, role=user.role)


class ShopLogin(BaseModel, defer_build=True):
    """A sign-in of the shop backend."""

    email: Annotated[str, Field(min_length=1, max_length=254)]
    password: GivenPassword = Field(repr=False)
