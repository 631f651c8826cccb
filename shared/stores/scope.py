"""Store scope: an operator bound to a store writes only where that store takes part. One function for every service."""

from shared.core.caller import Caller, Role
from shared.core.errors import Forbidden

__all__ = ["check_scope"]


def check_scope(caller: Caller, *store_ids: str | None) -> None:
    """Raise Forbidden when the caller is bound to a store that is none of these; call it after 404 is settled."""
    if caller.store_id and not caller.may(Role.MANAGER) and caller.store_id not in store_ids:
        raise Forbidden("Your account may change stock of its own store only.")
