"""The documented user paths of the older OOS backend, the store operations demo and the shop backend."""

from typing import Any

from shared.app import App
from shared.core.errors import Unauthenticated, ValidationFailed
from shared.http.context import Context
from shared.http.legacy import answered, refused_as_422, reshaped
from shared.http.router import Router
from shared.identity.admin import named
from shared.identity.audit import Event
from shared.identity.legacy import LegacyUser, LegacyUserFilter, LegacyUserMade, ShopLogin
from shared.identity.models import NewUser, PasswordChange, PasswordReset, Registration, UserFilter
from shared.identity.rules import ROLE_WORDS

from .audited import note

__all__ = ["router"]

router = Router("auth")
Ctx = Context[App]
_SHOP_USER = {"id", "first_name", "last_name", "timezone", "email", "is_active", "created_at", "updated_at"}


@router.get("/api/users", access="manager", successor="/api/v1/users")
def legacy_users(ctx: Ctx, query: LegacyUserFilter) -> list[LegacyUser]:
    """List users by username."""
    wanted = UserFilter(sort="username", search=query.search)
    found = [user for user in ctx.app.user_admin.matching(wanted) if query.fits(user)]
    ctx.respond_header("X-Total-Count", str(len(found)))
    return [LegacyUser.of(user) for user in found[: query.limit]]


@router.get("/api/users/role/{role}", access="manager", successor="/api/v1/users")
def legacy_users_of_role(ctx: Ctx, role: str) -> list[LegacyUser]:
    """List the users of one role by username."""
    wanted = ROLE_WORDS.get(role)
    if wanted is None:
        raise ValidationFailed.at("path:role", "not_allowed", "There is no such role.")
    return [LegacyUser.of(user) for user in ctx.app.user_admin.matching(UserFilter(sort="username", role=[wanted]))]


@router.post("/api/users", access="admin", status=201, successor="/api/v1/users")
def make_legacy_user(ctx: Ctx, body: NewUser) -> LegacyUserMade:
    """Make a user."""
    user = ctx.app.user_admin.create(body)
    note(ctx, Event.USER_CREATED, user.id, role=user.role.value)
    ctx.respond_header("Location", f"/api/v1/users/{user.id}")
    return LegacyUserMade.of(user)


@router.get("/api/users/{id}", successor="/api/v1/users/{id}")
def legacy_user(ctx: Ctx, id: str) -> LegacyUser:
    """Return a user by id or username, or oneself as `me`."""
    own = id == "me"
    return LegacyUser.of(ctx.app.identity.me(ctx.caller) if own else ctx.app.user_admin.get(ctx.caller, id))


@router.delete("/api/users/{id}", access="admin", successor="/api/v1/users/{id}")
def delete_legacy_user(ctx: Ctx, id: str) -> None:
    """Delete a user."""
    user_id = ctx.app.user_admin.delete(ctx.caller, named(ctx.caller, id), ctx.precondition)
    note(ctx, Event.USER_DELETED, user_id)


@router.put("/api/users/{id}/force-reset-password", access="admin", status=204, successor="/api/v1/users/{id}/password")
def force_reset(ctx: Ctx, id: str, body: PasswordReset) -> None:
    """Give a user a new password."""
    user_id = ctx.app.user_admin.set_password(named(ctx.caller, id), body.new_password)
    note(ctx, Event.PASSWORD_RESET, user_id)


@router.put("/api/users/me/reset-password", status=204, atomic=False, successor="/api/v1/auth/me/password")
def reset_own(ctx: Ctx, body: PasswordChange) -> None:
    """Change one's own password."""
    ctx.app.identity.change_password(ctx.caller, body)
    note(ctx, Event.PASSWORD_CHANGED, ctx.caller.user_id)


@router.put(
    "/ecommerce/v1/register_user",
    access="public",
    policy="login",
    atomic=False,
    successor="/api/v1/auth/register",
    reshape=reshaped,
    merge_query=True,
)
def shop_register(ctx: Ctx, body: Registration) -> dict[str, Any]:
    """Make an account of one's own."""
    with refused_as_422("email"):
        user = ctx.app.identity.register(body)
    note(ctx, Event.REGISTERED, user.id)
    return answered(user.model_dump(mode="json", include=_SHOP_USER), "User registered successfully")


@router.post(
    "/ecommerce/v1/login_user",
    access="public",
    policy="login",
    atomic=False,
    successor="/api/v1/auth/login",
    reshape=reshaped,
    merge_query=True,
)
def shop_login(ctx: Ctx, body: ShopLogin) -> dict[str, Any]:
    """Sign in by e-mail; a wrong password and an unknown e-mail are told alike."""
    try:
        session = ctx.app.identity.login(body.email, body.password)
    except Unauthenticated:
        note(ctx, Event.SIGN_IN_REFUSED, ctx.app.identity.known(body.email))
        raise ValidationFailed.at("/email", "bad_credentials", "The e-mail or the password is wrong.") from None
    note(ctx, Event.SIGNED_IN, session.user.id)
    return answered(session.model_dump(mode="json", exclude={"user"}), "User logged in successfully")
