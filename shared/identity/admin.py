"""What admins do with other people's accounts, and what managers may see of them."""

from collections.abc import Sequence
from typing import Any

from shared.core.caller import Caller, Role
from shared.core.clock import instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import BadRequest, FieldError, Forbidden, InvalidState, NotFound
from shared.core.values import dataclass
from shared.core.words import matches, words
from shared.identity.models import NewUser, Permissions, User, UserFilter, UserPatch
from shared.identity.passwords import Passwords, refuse_common
from shared.identity.patches import ANYTHING, changes_of
from shared.identity.rules import login_name
from shared.identity.users import Fields, Users, view
from shared.ports.documents import Position, Query, Stored

__all__ = ["Place", "UserAdmin", "named", "place_of"]

Place = tuple[str, str]
"""Where a user stands in an order: the sorted value, and the id that decides ties."""

_STEP = 500
_ME = "me"


def named(caller: Caller, word: str) -> str:
    """Return the id or username a path names: `me` is the caller's own id."""
    return caller.user_id if word == _ME else word


@dataclass(frozen=True, slots=True)
class UserAdmin:
    """The accounts of everybody."""

    users: Users
    passwords: Passwords

    def matching(self, wanted: UserFilter) -> list[User]:
        """Return all users that match, in the order asked for.

        A deployment has the users of one organisation: they are read in one go and filtered here, so that any filters
        combine without an index for each combination.
        """
        found = [user for user in map(view, self._everybody()) if _fits(user, wanted)]
        field, descending = wanted.order
        return sorted(found, key=lambda user: place_of(user, field), reverse=descending)

    def page(self, wanted: UserFilter, after: Sequence[Any] | None) -> tuple[list[User], Place | None, int]:
        """Return one page behind the place a cursor names, the place to go on from, and the exact total.

        Raise BadRequest for a place that no page of this list ended with.
        """
        found = self.matching(wanted)
        field, descending = wanted.order
        places = [place_of(user, field) for user in found]
        begin = wanted.offset
        if after is not None:
            last = _checked(after)
            begin = sum(place >= last if descending else place <= last for place in places)
        end = begin + wanted.size
        return found[begin:end], places[end - 1] if end < len(found) else None, len(found)

    def create(self, wanted: NewUser) -> User:
        """Make a user; raise AlreadyExists or ValidationFailed. Without a password the account cannot sign in."""
        if wanted.password is not None:
            refuse_common(wanted.password, "/password")
        hashed = self.passwords.hash(wanted.password) if wanted.password is not None else None
        return view(self.users.create(wanted.model_dump(mode="json", exclude={"password"}), hashed))

    def get(self, caller: Caller, word: str) -> User:
        """Return a user by id or username; `me` is the caller's own. Others are for managers and above."""
        return view(self._visible(caller, word))

    def update(self, word: str, patch: UserPatch, condition: Precondition = NO_CONDITION) -> User:
        """Change a user; raise NotFound, PreconditionFailed, AlreadyExists or InvalidState (last active admin)."""
        user_id = self.users.find(word).key.id

        def decide(stored: Stored) -> Fields:
            condition.check(user_id, stored.data["version"], patch.version)
            return changes_of(patch, stored, ANYTHING)

        return view(self.users.change(user_id, decide))

    def delete(self, caller: Caller, word: str, condition: Precondition = NO_CONDITION) -> str:
        """Remove a user and return his id; raise NotFound or InvalidState for one's own account and for the last active admin."""
        stored = self.users.find(word)
        condition.check(stored.key.id, stored.data["version"])
        if stored.key.id == caller.user_id:
            raise InvalidState("Nobody deletes his own account.", current="own_account", allowed=[])
        self.users.delete(stored.key.id)
        return stored.key.id

    def set_password(self, word: str, password: str) -> str:
        """Give a user a new password and return his id; all his sessions end."""
        user_id = self.users.find(word).key.id
        refuse_common(password, "/new_password")
        if not self.users.set_hash(user_id, self.passwords.hash(password)):
            raise NotFound("There is no such user.", resource="user")
        return user_id

    def permissions(self, caller: Caller, word: str) -> Permissions:
        """Say what a user may do, to himself or to managers and above."""
        user = view(self._visible(caller, word))
        manages = user.role.includes(Role.MANAGER)
        return Permissions(
            user_id=user.id,
            role=user.role,
            can_approve_orders=manages,
            can_manage_inventory=user.role.includes(Role.OPERATOR),
            can_view_all_stores=True,
            store_ids=[user.store_id] if user.store_id else [],
            regions=[user.region] if user.region else [],
        )

    def _visible(self, caller: Caller, word: str) -> Stored:
        if word == _ME:
            return self.users.get(caller.user_id)
        if caller.may(Role.MANAGER):
            return self.users.find(word)
        if word not in {caller.user_id, caller.username}:
            needed = Role.MANAGER.value
            raise Forbidden(f"This needs the role {needed} or a higher one.", needed=needed)
        return self.users.get(caller.user_id)

    def _everybody(self) -> list[Stored]:
        found: list[Stored] = []
        place: Position | None = None
        while page := self.users.store.query(Query("users", order_by="username_key", limit=_STEP, after=place)):
            found += page
            if len(page) < _STEP:
                break
            place = Position(page[-1].data["username_key"], page[-1].key.id)
        return found


def _checked(place: Sequence[Any]) -> Place:
    match place:
        case [str() as value, str() as last]:
            return value, last
        case _:
            detail = "This cursor is not one of this list."
            raise BadRequest(detail, errors=(FieldError("query:cursor", "bad_cursor", detail),))


def place_of(user: User, field: str) -> Place:
    """Return where a user stands in the order of a field."""
    return (login_name(user.username) if field == "username" else instant(user.created_at), user.id)


def _fits(user: User, wanted: UserFilter) -> bool:
    asked = {"role": wanted.role, "store_id": wanted.store_id, "region": wanted.region}
    if any(values is not None and getattr(user, name) not in values for name, values in asked.items()):
        return False
    if wanted.is_active is not None and user.is_active != wanted.is_active:
        return False
    if wanted.created_from is not None and user.created_at < wanted.created_from:
        return False
    if wanted.created_to is not None and user.created_at > wanted.created_to:
        return False
    return wanted.search is None or matches(words(wanted.search), (user.username, user.email, user.full_name))
