"""What admins do with other accounts, and what everybody else may see."""

from datetime import timedelta

import pytest

from shared.core.caller import Caller, Role
from shared.core.clock import instant
from shared.core.conditions import Precondition, version_part
from shared.core.errors import (
    AlreadyExists,
    Forbidden,
    InvalidState,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
    ValidationFailed,
)
from shared.identity.admin import UserAdmin
from shared.identity.models import NewUser, User, UserFilter, UserPatch
from tests.unit.identity.builders import PASSWORD, House

ROOT = Caller("usr_root", "root", Role.ADMIN)


def an_admin() -> tuple[House, UserAdmin, list[User]]:
    """Return an admin service over the four demo users, by rising role."""
    house = House()
    house.identity.seed_demo_users(PASSWORD)
    admin = UserAdmin(house.users, house.passwords)
    return house, admin, [view for role in Role for view in admin.matching(UserFilter(role=[role]))]


def caller_of(user: User) -> Caller:
    """Return the caller a user is."""
    return Caller(user.id, user.username, user.role)


def test_users_are_filtered_and_sorted() -> None:
    house, admin, _ = an_admin()
    house.clock.advance(1)
    admin.create(NewUser(email="ada@example.com", first_name="Ada", last_name="Lovelace", region="West"))
    names = {
        text: [user.username for user in admin.matching(UserFilter.model_validate(wanted))]
        for text, wanted in {
            "by name": {"sort": "username"},
            "backwards": {"sort": "-username"},
            "role": {"role": ["store_manager"]},
            "region": {"region": ["West", "East"]},
            "nobody": {"region": ["West"], "is_active": False},
            "search": {"search": "LOVE ad"},
            "search mail": {"search": "onhand oper"},
            "made since": {"created_from": instant(house.clock.now())},
            "made before": {"sort": "username", "created_to": instant(house.clock.now() - timedelta(seconds=1))},
        }.items()
    }

    everybody = ["ada@example.com", "admin", "manager", "operator", "viewer"]
    assert next(user.username for user in admin.matching(UserFilter())) == "ada@example.com"
    assert names == {
        "by name": everybody,
        "backwards": everybody[::-1],
        "role": ["operator"],
        "region": ["ada@example.com"],
        "nobody": [],
        "search": ["ada@example.com"],
        "search mail": ["operator"],
        "made since": ["ada@example.com"],
        "made before": everybody[1:],
    }


def test_an_account_without_a_password_gets_one_later() -> None:
    house, admin, _ = an_admin()
    user = admin.create(NewUser(email="ada@example.com", role=Role.MANAGER))
    with pytest.raises(Unauthenticated):
        house.a_session()

    admin.set_password(user.id, PASSWORD)

    assert house.a_session().user.role is Role.MANAGER


def test_a_new_password_from_an_admin_ends_the_sessions() -> None:
    house, admin, _ = an_admin()
    session = house.identity.login("operator", PASSWORD)

    admin.set_password("operator", "a very different phrase")

    with pytest.raises(Unauthenticated):
        house.identity.refresh(session.refresh_token)
    with pytest.raises(ValidationFailed):
        admin.set_password("operator", "password123")


def test_a_taken_name_is_refused() -> None:
    _, admin, _ = an_admin()

    with pytest.raises(AlreadyExists) as refusal:
        admin.create(NewUser(email="new@example.com", username="VIEWER"))

    assert refusal.value.extra == {"field": "username"}


def test_an_admin_changes_role_activity_and_names() -> None:
    _, admin, users = an_admin()

    changed = admin.update(
        users[0].username, UserPatch.model_validate({"role": "user", "email": None, "region": "East"})
    )

    assert (changed.role, changed.email, changed.region, changed.version) == (Role.OPERATOR, None, "East", 2)


def test_an_edited_answer_of_another_user_can_be_sent_back() -> None:
    house, admin, users = an_admin()
    answer = users[1].model_dump(mode="json")
    house.clock.advance(1)
    house.identity.login("operator", PASSWORD)

    changed = admin.update(users[1].id, UserPatch.model_validate(answer | {"full_name": "Op"}))

    assert (changed.full_name, changed.version) == ("Op", 2)
    with pytest.raises(ValidationFailed):
        admin.update(users[1].id, UserPatch.model_validate({"created_at": "2020-01-01T00:00:00Z"}))


@pytest.mark.parametrize("name", ["role", "username", "is_active", "timezone", "language"])
def test_what_a_user_must_have_cannot_be_cleared(name: str) -> None:
    _, admin, users = an_admin()

    with pytest.raises(ValidationFailed):
        admin.update(users[0].id, UserPatch.model_validate({name: None}))


def test_a_stale_condition_is_refused_and_changes_nothing() -> None:
    house, admin, users = an_admin()
    stale = Precondition(parts={version_part(users[0].id, 7)})

    with pytest.raises(PreconditionFailed):
        admin.update(users[0].id, UserPatch(region="East"), stale)
    with pytest.raises(PreconditionFailed):
        admin.delete(ROOT, users[0].id, stale)

    assert house.users.get(users[0].id).data["version"] == 1


def test_nobody_deletes_himself_or_the_last_admin() -> None:
    _, admin, users = an_admin()

    with pytest.raises(InvalidState):
        admin.delete(caller_of(users[3]), "admin")
    with pytest.raises(InvalidState):
        admin.delete(ROOT, "admin")
    admin.delete(ROOT, "viewer")

    with pytest.raises(NotFound):
        admin.delete(ROOT, "viewer")


def test_managers_see_everybody_and_others_only_themselves() -> None:
    _, admin, users = an_admin()
    viewer, _, manager, boss = users

    assert admin.get(caller_of(manager), boss.id) == boss
    assert admin.get(caller_of(viewer), "me") == viewer
    assert admin.get(caller_of(viewer), viewer.username) == viewer
    for word in (boss.id, "admin", "nobody"):
        with pytest.raises(Forbidden):
            admin.get(caller_of(viewer), word)


@pytest.mark.parametrize(
    ("role", "rights"),
    [("viewer", (False, False)), ("operator", (False, True)), ("manager", (True, True)), ("admin", (True, True))],
)
def test_permissions_follow_the_role(role: str, rights: tuple[bool, bool]) -> None:
    _, admin, _ = an_admin()

    shown = admin.permissions(ROOT, role)

    assert (shown.can_approve_orders, shown.can_manage_inventory) == rights
    assert (shown.can_view_all_stores, shown.store_ids, shown.regions) == (True, [], [])
