"""Signing in and out, sessions, accounts, keys for machines, the log of security events, and the keys that check tokens.

Signing in is not one commit with the request: failures are counted, and a refused refresh token ends its family, although
the answer is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.app import App
from shared.core.errors import Unauthenticated
from shared.http.context import Context
from shared.http.page import Page, make_page, paginate, place_of
from shared.http.router import Router
from shared.identity.admin import named
from shared.identity.audit import Event, event_view
from shared.identity.key_access import KEYS
from shared.ports.documents import Query

from .audited import note

if TYPE_CHECKING:
    from shared.identity.apikeys import ApiKey, ApiKeyFilter, ApiKeyMade, NewApiKey
    from shared.identity.audit import AuditEvent, AuditFilter
    from shared.identity.models import (
        LegacyToken,
        Login,
        Logout,
        NewUser,
        PasswordChange,
        PasswordReset,
        Permissions,
        Profile,
        RefreshRequest,
        Registration,
        TokenPair,
        TokenRequest,
        User,
        UserFilter,
        UserPatch,
    )

__all__ = ["router"]

router = Router("auth", "shared.identity.models", "shared.identity.audit", "shared.identity.apikeys")
Ctx = Context[App]


@router.post("/api/v1/auth/register", access="public", status=201, policy="login", atomic=False)
def register(ctx: Ctx, body: Registration) -> User:
    """Make an account of one's own."""
    user = ctx.app.identity.register(body)
    note(ctx, Event.REGISTERED, user.id)
    ctx.respond_header("Location", f"/api/v1/users/{user.id}")
    return user


@router.post("/api/v1/auth/login", access="public", policy="login", atomic=False)
def login(ctx: Ctx, body: Login) -> TokenPair:
    """Sign in by e-mail or username."""
    try:
        session = ctx.app.identity.login(body.name, body.password)
    except Unauthenticated:
        note(ctx, Event.SIGN_IN_REFUSED, ctx.app.identity.known(body.name))
        raise
    note(ctx, Event.SIGNED_IN, session.user.id)
    return session


@router.post(
    "/token",
    access="public",
    policy="login",
    atomic=False,
    accepts=("application/json", "application/x-www-form-urlencoded"),
)
def token(ctx: Ctx, body: TokenRequest) -> LegacyToken:
    """Sign in as clients of the older OOS backend do; its own pair also gets a Basic header."""
    try:
        answer, basic = ctx.app.identity.token(body.username, body.password)
    except Unauthenticated:
        note(ctx, Event.SIGN_IN_REFUSED, ctx.app.identity.known(body.username))
        raise
    note(ctx, Event.SIGNED_IN, ctx.app.identity.known(body.username) if basic is None else None)
    if basic is not None:
        ctx.respond_header("Authorization", basic)
    return answer


@router.post("/api/v1/auth/refresh", "/token/refresh", access="public", atomic=False)
def refresh(ctx: Ctx, body: RefreshRequest) -> TokenPair:
    """Exchange a refresh token for a new pair; the old one ends."""
    try:
        return ctx.app.identity.refresh(body.refresh_token)
    except Unauthenticated as refusal:
        if refusal.errors[0].code == "token_reused":
            note(ctx, Event.TOKEN_REUSED)
        raise


@router.post("/api/v1/auth/logout", status=204, atomic=False)
def logout(ctx: Ctx, body: Logout) -> None:
    """End one session, or all of one's own when no refresh token is given."""
    ctx.app.identity.logout(ctx.caller, body.refresh_token)
    note(ctx, Event.SIGNED_OUT, ctx.caller.user_id)


@router.get("/api/v1/auth/me")
def me(ctx: Ctx) -> User:
    """Return one's own account."""
    return ctx.app.identity.me(ctx.caller)


@router.patch("/api/v1/auth/me")
def update_me(ctx: Ctx, body: Profile) -> User:
    """Change one's own profile."""
    return ctx.app.identity.update_me(ctx.caller, body, ctx.precondition)


@router.put("/api/v1/auth/me/password", status=204, atomic=False)
def change_password(ctx: Ctx, body: PasswordChange) -> None:
    """Change one's own password; all sessions end."""
    ctx.app.identity.change_password(ctx.caller, body)
    note(ctx, Event.PASSWORD_CHANGED, ctx.caller.user_id)


@router.get("/api/v1/auth/keys")
def api_keys(ctx: Ctx, query: ApiKeyFilter) -> Page[ApiKey]:
    """List one's own API keys; admins may ask for another user's."""
    from shared.identity.apikeys import key_view

    owner = ctx.app.api_keys.owner(ctx.caller, query)
    return paginate(ctx, query, Query(KEYS, (("user_id", owner),)), key_view)


@router.post("/api/v1/auth/keys", status=201)
def make_api_key(ctx: Ctx, body: NewApiKey) -> ApiKeyMade:
    """Make an API key, which a program sends as its Bearer token; the key itself is in this answer only."""
    made = ctx.app.api_keys.create(ctx.caller, body)
    note(ctx, Event.KEY_CREATED, made.id, role=made.role.value, scopes=" ".join(made.scopes))
    ctx.respond_header("Location", f"/api/v1/auth/keys/{made.id}")
    return made


@router.delete("/api/v1/auth/keys/{id}")
def revoke_api_key(ctx: Ctx, id: str) -> None:
    """Revoke an API key; it ends within a minute everywhere."""
    key = ctx.app.api_keys.revoke(ctx.caller, id)
    note(ctx, Event.KEY_REVOKED, key.id, owner=key.user_id)


@router.get("/api/v1/auth/audit", access="admin")
def audit(ctx: Ctx, query: AuditFilter) -> Page[AuditEvent]:
    """List security events, newest first."""
    return paginate(ctx, query, query.wanted(), event_view)


@router.get("/.well-known/jwks.json", access="public", cache="public, max-age=300")
def jwks(ctx: Ctx) -> dict[str, Any]:
    """Return the public keys that check access tokens: the current one and the previous one."""
    return ctx.app.public_keys.jwks()


@router.get("/api/v1/users", access="manager")
def users(ctx: Ctx, query: UserFilter) -> Page[User]:
    """List users."""
    found, following, total = ctx.app.user_admin.page(query, place_of(ctx, query))
    return make_page(ctx, query, found, following, total if query.wants_total else None)


@router.post("/api/v1/users", access="admin", status=201)
def create_user(ctx: Ctx, body: NewUser) -> User:
    """Make a user; without a password the account cannot sign in."""
    user = ctx.app.user_admin.create(body)
    note(ctx, Event.USER_CREATED, user.id, role=user.role.value)
    ctx.respond_header("Location", f"/api/v1/users/{user.id}")
    return user


@router.get("/api/v1/users/{id}")
def user(ctx: Ctx, id: str) -> User:
    """Return a user by id or username; `me` is oneself, others need a manager."""
    return ctx.app.identity.me(ctx.caller) if id == "me" else ctx.app.user_admin.get(ctx.caller, id)


@router.put("/api/v1/users/{id}", access="admin")
@router.patch("/api/v1/users/{id}", access="admin")
def update_user(ctx: Ctx, id: str, body: UserPatch) -> User:
    """Change a user."""
    user = ctx.app.user_admin.update(named(ctx.caller, id), body, ctx.precondition)
    note(ctx, Event.USER_CHANGED, user.id, fields=" ".join(sorted(body.model_fields_set)))
    return user


@router.delete("/api/v1/users/{id}", access="admin")
def delete_user(ctx: Ctx, id: str) -> None:
    """Delete a user; e-mail and username are free from then on."""
    user_id = ctx.app.user_admin.delete(ctx.caller, named(ctx.caller, id), ctx.precondition)
    note(ctx, Event.USER_DELETED, user_id)


@router.put("/api/v1/users/{id}/password", access="admin", status=204)
def set_password(ctx: Ctx, id: str, body: PasswordReset) -> None:
    """Give a user a new password; all sessions of the user end."""
    user_id = ctx.app.user_admin.set_password(named(ctx.caller, id), body.new_password)
    note(ctx, Event.PASSWORD_RESET, user_id)


@router.get("/api/v1/users/{id}/permissions")
def permissions(ctx: Ctx, id: str) -> Permissions:
    """Say what a user may do."""
    return ctx.app.user_admin.permissions(ctx.caller, id)
