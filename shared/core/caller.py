"""Who is calling: the one description of an authenticated caller that http, services and jobs share."""

from enum import StrEnum

from shared.core.values import dataclass

__all__ = ["ANONYMOUS", "SYSTEM", "Caller", "Role"]


class Role(StrEnum):
    """The four roles in order of their rights."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    MANAGER = "manager"
    ADMIN = "admin"

    def includes(self, needed: "Role") -> bool:
        """Say whether this role may do what needs the other."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller: `user_id` stands in created_by and author; no role means anonymous (or an internal call).

    `scopes` bounds what a key for a machine may do (`oos:read`, `*:write`, ...); None: nothing beyond the role does.
    """

    user_id: str
    username: str
    role: Role | None
    scheme: str = "bearer"
    store_id: str | None = None
    region: str | None = None
    scopes: frozenset[str] | None = None

    def may(self, needed: Role) -> bool:
        """Say whether the caller has at least that role."""
        return self.role is not None and self.role.includes(needed)

    def is_scoped_for(self, group: str, *, writing: bool) -> bool:
        """Say whether the scopes allow reading or writing in a group of operations; writing includes reading.

        `*` stands for every group, except for writing in `auth`: a key makes no keys and changes no accounts.
        """
        if self.scopes is None:
            return True
        kinds = ("write",) if writing else ("read", "write")
        names = (group,) if group == "auth" and writing else (group, "*")
        return any(f"{name}:{kind}" in self.scopes for name in names for kind in kinds)


ANONYMOUS = Caller(user_id="", username="", role=None, scheme="none")
SYSTEM = Caller(user_id="system", username="system", role=Role.ADMIN, scheme="internal")
