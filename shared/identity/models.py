"""What the wire shows of users and sessions, and what it takes."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.core.caller import Role
from shared.core.page import PageQuery
from shared.core.text import Search, Text, TimeZone
from shared.core.times import From, To
from shared.identity.rules import LONGEST_PASSWORD, ROLE_WORDS, SHORTEST_PASSWORD, is_email

__all__ = [
    "LegacyToken",
    "Login",
    "Logout",
    "NewUser",
    "PasswordChange",
    "PasswordReset",
    "Permissions",
    "Profile",
    "RefreshRequest",
    "Registration",
    "TokenPair",
    "TokenRequest",
    "User",
    "UserFilter",
    "UserPatch",
]


def _email(text: str) -> str:
    if not is_email(text):
        raise PydanticCustomError("invalid_email", "This is not an e-mail address.")
    return text


def _username(text: str) -> str:
    allowed = all(character.isascii() and (character.isalnum() or character in "._@+-") for character in text)
    if not allowed:
        raise PydanticCustomError("invalid_username", "A username has letters, digits and . _ @ + - only.")
    return text


def _https(text: str) -> str:
    if not text.lower().startswith("https://"):
        raise PydanticCustomError("https_only", "The address must begin with https://.")
    return text


def _one_of(email: str | None, username: str | None) -> None:
    if email is None and username is None:
        raise PydanticCustomError("missing", "An e-mail or a username is needed.", {"at": "email"})


def _role(word: object) -> object:
    return ROLE_WORDS.get(word, word) if isinstance(word, str) else word


Email = Annotated[Text, Field(max_length=254), AfterValidator(_email)]
Username = Annotated[Text, Field(min_length=3, max_length=50), AfterValidator(_username)]
Name = Annotated[Text, Field(max_length=100)]
FullName = Annotated[Text, Field(max_length=255)]
Language = Annotated[Text, Field(min_length=2, max_length=35)]
Link = Annotated[Text, Field(max_length=2000), AfterValidator(_https)]
Scope = Annotated[Text, Field(min_length=1, max_length=64)]
RoleWord = Annotated[Role, BeforeValidator(_role)]
GivenPassword = Annotated[str, Field(min_length=1, max_length=1024)]
"""A password to compare with: any length is read, so that the answer for a wrong one is always the same."""
ChosenPassword = Annotated[str, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]
Token = Annotated[str, Field(min_length=1, max_length=8192)]


class User(BaseModel, defer_build=True):
    """A person or program that may sign in. Passwords appear in no answer."""

    id: str
    username: str
    email: str | None
    full_name: str | None
    first_name: str | None
    last_name: str | None
    role: Role
    store_id: str | None
    region: str | None
    timezone: str
    language: str
    avatar_url: str | None
    is_active: bool
    created_at: datetime
    updated_at: datetime
    last_login_at: datetime | None
    version: int


class Registration(BaseModel, defer_build=True):
    """A person's own request for an account."""

    email: Email
    password: ChosenPassword = Field(repr=False)
    full_name: FullName | None = None
    first_name: Name | None = None
    last_name: Name | None = None
    timezone: TimeZone = "UTC"


class Login(BaseModel, defer_build=True):
    """A sign-in by e-mail (or username) and password."""

    email: Annotated[str, Field(min_length=1, max_length=254)] | None = None
    username: Annotated[str, Field(min_length=1, max_length=254)] | None = None
    password: GivenPassword = Field(repr=False)

    @model_validator(mode="after")
    def _is_named(self) -> "Login":
        _one_of(self.email, self.username)
        return self

    @property
    def name(self) -> str:
        """Return the login name given."""
        return self.email or self.username or ""


class TokenRequest(BaseModel, defer_build=True):
    """A sign-in of the older OOS backend, as JSON or as a form."""

    username: Annotated[str, Field(min_length=1, max_length=254)]
    password: GivenPassword = Field(repr=False)


class RefreshRequest(BaseModel, defer_build=True):
    """A refresh token to exchange."""

    refresh_token: Token = Field(repr=False)


class Logout(BaseModel, defer_build=True):
    """The session to end; without a token, all of the caller's."""

    refresh_token: Token | None = Field(default=None, repr=False)


class _Echo(BaseModel, defer_build=True):
    """Keys of a User that are not input here: a GET answer can be edited and sent back, so equal values are ignored."""

    id: Any = None
    created_at: Any = None
    updated_at: Any = None
    last_login_at: Any = None
    version: int | None = None


class Profile(_Echo):
    """What users may change about themselves."""

    full_name: FullName | None = None
    first_name: Name | None = None
    last_name: Name | None = None
    timezone: TimeZone | None = None
    language: Language | None = None
    avatar_url: Link | None = None
    username: Any = None
    email: Any = None
    role: Any = None
    store_id: Any = None
    region: Any = None
    is_active: Any = None


class NewUser(BaseModel, defer_build=True):
    """A user made by an admin; without a password the account cannot sign in."""

    email: Email | None = None
    username: Username | None = None
    password: ChosenPassword | None = Field(default=None, repr=False)
    full_name: FullName | None = None
    first_name: Name | None = None
    last_name: Name | None = None
    role: RoleWord = Role.VIEWER
    store_id: Scope | None = None
    region: Scope | None = None
    timezone: TimeZone = "UTC"
    language: Language = "en"
    avatar_url: Link | None = None
    is_active: bool = True

    @model_validator(mode="after")
    def _is_named(self) -> "NewUser":
        _one_of(self.email, self.username)
        return self


class UserPatch(_Echo):
    """What an admin may change about a user."""

    email: Email | None = None
    username: Username | None = None
    full_name: FullName | None = None
    first_name: Name | None = None
    last_name: Name | None = None
    role: RoleWord | None = None
    store_id: Scope | None = None
    region: Scope | None = None
    timezone: TimeZone | None = None
    language: Language | None = None
    avatar_url: Link | None = None
    is_active: bool | None = None


class UserFilter(PageQuery):
    """Which users are wanted."""

    SORTS = ("-created_at", "username")

    role: Annotated[list[RoleWord] | None, Field(max_length=10)] = None
    store_id: Annotated[list[Scope] | None, Field(max_length=10)] = None
    region: Annotated[list[Scope] | None, Field(max_length=10)] = None
    is_active: bool | None = None
    search: Search | None = None
    created_from: From | None = None
    created_to: To | None = None


class PasswordChange(BaseModel, defer_build=True):
    """A new password, and the present one as proof."""

    current_password: GivenPassword = Field(repr=False)
    new_password: ChosenPassword = Field(repr=False)


class PasswordReset(BaseModel, defer_build=True):
    """A new password set by an admin."""

    new_password: ChosenPassword = Field(repr=False)


class TokenPair(BaseModel, defer_build=True):
    """An access token for 15 minutes and a refresh token for the next one."""

    access_token: str = Field(repr=False)
    refresh_token: str = Field(repr=False)
    token_type: str = "bearer"  # noqa: S105 - the scheme's name
    expires_in: int = 900
    user: User


class LegacyToken(BaseModel, defer_build=True):
    """The answer of `/token`, as clients of the older OOS backend read it."""

    access_token: str = Field(repr=False)
    token_type: str = "bearer"  # noqa: S105 - the scheme's name
    expires_in: int = 900
    refresh_token: str | None = Field(repr=False)
    username: str
    role: Role
    message: str


class Permissions(BaseModel, defer_build=True):
    """What a user may do, for clients that show or hide buttons."""

    user_id: str
    role: Role
    can_approve_orders: bool
    can_manage_inventory: bool
    can_view_all_stores: bool
    store_ids: list[str]
    regions: list[str]
