"""Users: names are unique in any case, records change whole, one active admin remains."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import ValidationError

from shared.core.caller import Caller, Role
from shared.core.errors import (
    AlreadyExists,
    Forbidden,
    InvalidState,
    NotFound,
    PreconditionFailed,
    Problem,
    Unauthenticated,
    ValidationFailed,
)
from shared.identity.models import NewUser, PasswordChange, Profile, Registration
from shared.identity.service import Policy
from shared.identity.users import Users
from shared.ports.documents import Create, Key, Query
from tests.unit.identity.builders import PAIR, PASSWORD, House


def me(house: House, email: str = "ada@example.com") -> Caller:
    """Return the caller somebody's token proves."""
    return house.tokens.verify(house.a_session(email).access_token)


def test_a_registered_user_has_the_defaults_of_the_contract() -> None:
    house = House()

    user = house.a_user("Ada@Example.com", first_name=" Ada ", last_name="Lovelace")

    assert user.model_dump(mode="json") == {
        "id": user.id,
        "username": "Ada@Example.com",
        "email": "Ada@Example.com",
        "full_name": "Ada Lovelace",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "role": "operator",
        "store_id": None,
        "region": None,
        "timezone": "UTC",
        "language": "en",
        "avatar_url": None,
        "is_active": True,
        "created_at": "2026-01-15T10:30:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
        "last_login_at": None,
        "version": 1,
    }


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@EXAMPLE.COM", " Ada@example.com "])
def test_an_email_is_taken_in_any_case(email: str) -> None:
    house = House()
    house.a_user()

    with pytest.raises(AlreadyExists) as refusal:
        house.a_user(email)

    assert refusal.value.extra == {"field": "email"}
    assert len(house.store.query(Query("users"))) == 1


def test_of_thirty_two_parallel_registrations_exactly_one_succeeds() -> None:
    house = House()
    spellings = [f"{'ADA'[: number % 4]}{'ada'[number % 4 :]}@example.com" for number in range(32)]
    with ThreadPoolExecutor(32) as pool:
        outcomes = list(pool.map(lambda email: _outcome(house, email), spellings))

    assert (outcomes.count("User"), outcomes.count("AlreadyExists")) == (1, 31)
    counts = {name: len(house.store.query(Query(name))) for name in ("users", "logins", "credentials")}
    assert counts == {"users": 1, "logins": 1, "credentials": 1}


def test_control_looking_before_writing_lets_doubles_in() -> None:
    house = House()

    def naive(number: int) -> None:
        if not house.store.query(Query("users", equals=(("email", "ada@example.com"),))):
            barrier.wait(5)
            house.store.write([Create(Key("users", f"usr_{number}"), {"email": "ada@example.com"})])

    barrier = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(naive, range(4)))

    assert len(house.store.query(Query("users"))) == 4


def test_a_username_cannot_stand_in_for_the_email_of_another() -> None:
    house = House()
    house.a_user()

    with pytest.raises(AlreadyExists) as refusal:
        house.users.create({"username": "ADA@example.com", "email": "eve@example.com", "role": "viewer"}, None)

    assert refusal.value.extra == {"field": "username"}


def test_a_changed_email_frees_the_old_one() -> None:
    house = House()
    user = house.a_user()
    house.users.change(user.id, lambda _: {"email": "new@example.com", "username": "ada"})

    assert house.a_user("ada@example.com").id != user.id
    assert house.identity.login("new@example.com", PASSWORD).user.id == user.id
    assert house.identity.login("ada", PASSWORD).user.id == user.id


def test_a_change_to_a_taken_name_changes_nothing() -> None:
    house = House()
    user = house.a_user()
    house.a_user("eve@example.com")

    with pytest.raises(AlreadyExists):
        house.users.change(user.id, lambda _: {"email": "EVE@example.com", "first_name": "Eve"})

    assert house.users.get(user.id).data["first_name"] is None
    assert house.users.get(user.id).data["version"] == 1


def test_a_deleted_user_is_gone_and_his_names_are_free() -> None:
    house = House()
    user = house.a_user()

    house.users.delete(user.id)

    with pytest.raises(NotFound):
        house.users.get(user.id)
    assert house.store.query(Query("credentials")) == []
    assert house.a_user().id != user.id


def test_a_user_is_found_by_id_or_username() -> None:
    house = House()
    house.identity.seed_demo_users(PASSWORD)
    found = house.users.find("Manager")

    assert house.users.find(found.key.id).key == found.key
    for word in ("manager@onhand.local", "nobody", "a/b", "x" * 2000, "\ud800"):
        with pytest.raises(NotFound):
            house.users.find(word)


@pytest.mark.parametrize("changes", [{"is_active": False}, {"role": "manager"}])
def test_the_last_active_admin_stays(changes: dict[str, Any]) -> None:
    house = House()
    house.identity.ensure_first_admin("root@example.com", PASSWORD)
    admin = house.identity.login("root@example.com", PASSWORD).user

    with pytest.raises(InvalidState):
        house.users.change(admin.id, lambda _: changes)
    with pytest.raises(InvalidState):
        house.users.delete(admin.id)

    house.users.create({"email": "second@example.com", "role": "admin"}, None)
    assert house.users.change(admin.id, lambda _: changes).data["version"] == 2


def test_two_admins_cannot_remove_each_other() -> None:
    for _ in range(10):
        house = House()
        admins = [house.users.create({"email": f"{n}@example.com", "role": "admin"}, None).key.id for n in range(2)]
        with ThreadPoolExecutor(2) as pool:
            outcomes = sorted(pool.map(lambda user_id, users=house.users: _deleted(users, user_id), admins))

        assert outcomes == ["InvalidState", "deleted"]


def test_the_first_admin_is_made_once_and_only_on_an_empty_store() -> None:
    house = House()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: house.identity.ensure_first_admin("root@example.com", PASSWORD), range(4)))

    house.identity.ensure_first_admin("other@example.com", PASSWORD)

    assert [stored.data["email"] for stored in house.store.query(Query("users"))] == ["root@example.com"]
    assert house.identity.login("root@example.com", PASSWORD).user.role is Role.ADMIN


def test_the_demo_users_are_made_once() -> None:
    house = House()
    house.identity.seed_demo_users(PASSWORD)
    house.identity.seed_demo_users("another password")

    users = [house.identity.login(role.value, PASSWORD).user for role in Role]

    assert [(u.username, u.email, u.role.value) for u in users] == [
        (name, f"{name}@onhand.local", name) for name in ("viewer", "operator", "manager", "admin")
    ]


def test_registration_can_be_closed() -> None:
    house = House(policy=Policy())

    with pytest.raises(Forbidden):
        house.a_user()

    assert house.store.query(Query("users")) == []


def test_a_common_password_is_refused_and_nothing_is_made() -> None:
    house = House()

    with pytest.raises(ValidationFailed) as refusal:
        house.identity.register(Registration(email="ada@example.com", password="Password123"))

    assert (refusal.value.errors[0].pointer, refusal.value.errors[0].code) == ("/password", "password_common")
    assert house.store.query(Query("users")) == []


def test_a_profile_is_changed_by_its_owner() -> None:
    house = House()
    house.a_user()
    house.clock.advance(60)

    changed = house.identity.update_me(me(house), Profile(full_name="Countess", timezone="Europe/London"))

    assert (changed.full_name, changed.timezone, changed.version) == ("Countess", "Europe/London", 2)
    assert changed.updated_at == house.clock.now()


def test_an_edited_answer_can_be_sent_back() -> None:
    house = House()
    house.a_user(first_name="Ada", last_name="King")
    answer = house.identity.me(me(house)).model_dump(mode="json")
    house.clock.advance(1)
    caller = me(house)

    changed = house.identity.update_me(caller, Profile.model_validate(answer | {"language": "de"}))

    assert (changed.language, changed.version) == ("de", 2)
    with pytest.raises(PreconditionFailed):
        house.identity.update_me(caller, Profile.model_validate(answer))


def test_an_unchanged_profile_keeps_its_version() -> None:
    house = House()
    user = house.a_user(first_name="Ada")

    assert house.identity.update_me(me(house), Profile(first_name="Ada")).version == user.version


@pytest.mark.parametrize(("name", "value"), [("role", "admin"), ("email", "x@example.com"), ("id", "usr_1")])
def test_nobody_promotes_himself(name: str, value: str) -> None:
    house = House()
    user = house.a_user()

    with pytest.raises(ValidationFailed) as refusal:
        house.identity.update_me(me(house), Profile.model_validate({name: value, "first_name": "Eve"}))

    assert (refusal.value.errors[0].pointer, refusal.value.errors[0].code) == (f"/{name}", "unknown_field")
    assert house.users.get(user.id).data["version"] == 1


def test_the_current_password_must_be_right() -> None:
    house = House()
    house.a_user()
    caller = me(house)

    with pytest.raises(ValidationFailed) as refusal:
        house.identity.change_password(caller, PasswordChange(current_password="x", new_password="long enough 1"))

    assert (refusal.value.errors[0].pointer, refusal.value.errors[0].code) == ("/current_password", "wrong_current")
    assert house.a_session().user.email == "ada@example.com"


def test_the_pair_has_a_fixed_record_that_cannot_be_changed() -> None:
    house = House()
    caller = house.access.authenticate(PAIR.header())

    shown = house.identity.me(caller)

    assert (shown.id, shown.username, shown.role, shown.email, shown.version) == ("basic", "feed", "operator", None, 1)
    with pytest.raises(Forbidden):
        house.identity.update_me(caller, Profile(first_name="x"))
    with pytest.raises(Forbidden):
        house.identity.change_password(caller, PasswordChange(current_password="x", new_password="long enough 1"))
    house.identity.logout(caller, None)


def test_the_token_of_a_deleted_user_leads_nowhere() -> None:
    house = House()
    house.a_user()
    caller = me(house)
    house.users.delete(caller.user_id)

    with pytest.raises(Unauthenticated):
        house.identity.me(caller)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("email", "no address", "invalid_email"),
        ("email", "a@b", "invalid_email"),
        ("email", "a b@example.com", "invalid_email"),
        ("email", "a@example.com\u0000", "control_character"),
        ("email", "a" * 250 + "@example.com", "too_long"),
        ("username", "ab", "too_short"),
        ("username", "a b c", "invalid_username"),
        ("username", "ädä", "invalid_username"),
        ("first_name", "x" * 101, "too_long"),
        ("timezone", "Mars/Olympus", "unknown_time_zone"),
        ("timezone", "../etc/passwd", "unknown_time_zone"),
        ("timezone", "America", "unknown_time_zone"),
        ("avatar_url", "http://example.com/a.png", "https_only"),
        ("role", "owner", "enum"),
        ("password", "1234567", "string_too_short"),
        ("password", "x" * 129, "string_too_long"),
    ],
)
def test_a_bad_value_is_refused_with_its_code(field: str, value: str, code: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        NewUser.model_validate({"email": "ada@example.com", field: value})

    assert [error["type"] for error in refusal.value.errors()] == [code]


@pytest.mark.parametrize(
    ("word", "role"),
    [("user", "operator"), ("store_manager", "operator"), ("regional_manager", "manager"), ("super_admin", "admin")],
)
def test_role_words_of_the_older_backends_are_understood(word: str, role: str) -> None:
    raw = f'{{"email": "a@example.com", "role": "{word}"}}'

    assert NewUser.model_validate_json(raw, strict=True).role == role


def test_models_show_no_password() -> None:
    shown = repr(
        [
            Registration(email="a@example.com", password=PASSWORD),
            NewUser(email="a@example.com", password=PASSWORD),
            PasswordChange(current_password=PASSWORD, new_password=PASSWORD),
        ]
    )

    assert PASSWORD not in shown


def _outcome(house: House, email: str) -> str:
    try:
        return type(house.a_user(email)).__name__
    except AlreadyExists as refusal:
        return refusal.name


def _deleted(users: Users, user_id: str) -> str:
    try:
        users.delete(user_id)
    except Problem as refusal:
        return refusal.name
    return "deleted"


@pytest.mark.parametrize(("length", "is_taken"), [(7, False), (8, True), (64, True), (128, True), (129, False)])
def test_a_password_has_8_to_128_characters_of_any_kind(length: int, is_taken: bool) -> None:
    password = ("é z" * length)[:length]
    try:
        taken = Registration(email="ada@example.com", password=password).password
    except ValidationError:
        taken = None

    assert (taken == password) is is_taken
