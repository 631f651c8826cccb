"""T06 and T07: guessing is slowed the same for everybody, and hashing never takes more memory than its slots."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shared.adapters.argon2 import Argon2
from shared.core.errors import Problem, RateLimited, Unauthenticated, Unavailable
from shared.identity.access import BasicPair
from shared.identity.passwords import Passwords, is_common
from shared.identity.rules import wait_s
from shared.identity.service import IdentityService, Policy
from tests.faults.jobs.volume import sized
from tests.unit.identity.builders import PAIR, PASSWORD, House


def refusal(identity: IdentityService, name: str, password: str = "wrong") -> Problem:
    """Try to sign in and return the refusal."""
    with pytest.raises(Problem) as caught:
        identity.login(name, password)
    return caught.value


def test_a_stored_user_signs_in_by_email_or_username_in_any_case() -> None:
    house = House()
    house.identity.seed_demo_users(PASSWORD)

    names = ["operator@onhand.local", "OPERATOR@Onhand.LOCAL", "operator", "Operator", " operator "]

    assert {house.identity.login(name, PASSWORD).user.username for name in names} == {"operator"}


def test_signing_in_is_noted_without_a_new_version() -> None:
    house = House()
    user = house.a_user()
    house.clock.advance(5)

    seen = house.a_session().user

    assert seen == user.model_copy(update={"last_login_at": house.clock.now()})


@pytest.mark.parametrize("name", ["ada@example.com", "nobody@example.com"])
def test_failures_in_a_row_bring_growing_waits_known_or_not(name: str) -> None:
    house = House()
    house.a_user()
    waits: list[int] = []
    for _ in range(16):
        first = refusal(house.identity, name)
        assert isinstance(first, Unauthenticated)
        assert first.detail == "The name or the password is wrong."
        after = refusal(house.identity, name) if len(waits) > 3 else None
        waits.append(int(after.headers["Retry-After"]) if isinstance(after, RateLimited) else 0)
        house.clock.advance(waits[-1])

    assert waits == [0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert waits == [wait_s(number) for number in range(1, 17)]


def test_during_the_wait_the_right_password_is_refused_too_and_after_it_accepted() -> None:
    house = House()
    house.a_user()
    for _ in range(5):
        refusal(house.identity, "ada@example.com")

    assert isinstance(refusal(house.identity, "ada@example.com", PASSWORD), RateLimited)
    house.clock.advance(2)
    assert house.a_session().user.email == "ada@example.com"
    assert isinstance(refusal(house.identity, "ada@example.com"), Unauthenticated)


def test_tries_during_the_wait_do_not_prolong_it() -> None:
    house = House()
    house.a_user()
    for _ in range(5):
        refusal(house.identity, "ada@example.com")
    for _ in range(50):
        assert refusal(house.identity, "ada@example.com").headers == {"Retry-After": "2"}

    house.clock.advance(2)

    assert house.a_session().user.email == "ada@example.com"


def test_email_and_username_count_as_one_account() -> None:
    house = House()
    house.identity.seed_demo_users(PASSWORD)
    for name in ("operator", "operator@onhand.local", "OPERATOR", "operator", "operator@onhand.local"):
        refusal(house.identity, name)

    assert isinstance(refusal(house.identity, "operator", PASSWORD), RateLimited)
    assert house.identity.login("manager", PASSWORD).user.username == "manager"


@pytest.mark.parametrize("run", range(sized(1, 5)))
def test_a_thousand_guesses_are_slowed_and_the_owner_still_gets_in(run: int) -> None:
    """Each run is one attack on one account."""
    house = House()
    house.a_user()
    outcomes = Counter[str]()
    for number in range(1000):
        outcomes[refusal(house.identity, "ada@example.com", f"guess {number}").name] += 1
        house.clock.advance(1)

    house.clock.advance(900)

    assert outcomes == {"Unauthenticated": 13, "RateLimited": 987}
    assert house.a_session().user.email == "ada@example.com"


def test_a_burst_at_the_end_of_a_wait_is_one_try() -> None:
    house = House()
    house.a_user()
    for _ in range(5):
        refusal(house.identity, "ada@example.com")
    house.clock.advance(2)

    with ThreadPoolExecutor(16) as pool:
        outcomes = Counter(
            refusal.name for refusal in pool.map(lambda _: refusal_of(house, "ada@example.com"), range(16))
        )

    assert outcomes == {"Unauthenticated": 1, "RateLimited": 15}


def refusal_of(house: House, name: str) -> Problem:
    """Guess wrongly, in any thread."""
    return refusal(house.identity, name)


def test_the_same_work_is_done_for_unknown_accounts() -> None:
    assert set(_work(Passwords)) == {(1, 5, 1)}


def test_control_without_a_dummy_hash_unknown_accounts_are_told_apart() -> None:
    class Careless(Passwords):
        """Answers at once when there is nothing to compare with."""

        def verify(self, hashed: str | None, password: str) -> bool:
            return hashed is not None and super().verify(hashed, password)

    assert set(_work(Careless)) == {(1, 5, 1), (0, 5, 1)}


def _work(kind: type[Passwords]) -> list[tuple[int, int, int]]:
    """Return hashes compared, documents read and written by failing logins, known and unknown in turn."""
    house = House()
    house.a_user()
    hasher = _Counting()
    identity = _with(house, kind(hasher))
    work = []
    for name in ("ada@example.com", "nobody@example.com") * 2:
        house.documents.counts.reset()
        hasher.verified = 0
        refusal(identity, name)
        work.append((hasher.verified, house.documents.counts.reads, house.documents.counts.writes))
    return work


def test_an_inactive_account_looks_like_a_wrong_password() -> None:
    house = House()
    user = house.a_user()
    house.users.change(user.id, lambda _: {"is_active": False})

    assert refusal(house.identity, "ada@example.com", PASSWORD).errors[0].code == "bad_credentials"


def test_an_account_without_a_password_cannot_sign_in() -> None:
    house = House()
    house.users.create({"email": "eve@example.com", "role": "viewer"}, None)

    assert refusal(house.identity, "eve@example.com", "").errors[0].code == "bad_credentials"


def test_at_most_two_passwords_are_hashed_at_once_and_the_rest_is_sent_away() -> None:
    hasher = _Blocking()
    passwords = Passwords(hasher, slots=2, patience_s=0)
    with ThreadPoolExecutor(32) as pool:
        running = [pool.submit(passwords.verify, "hash", "password") for _ in range(2)]
        hasher.entered.wait(2)
        others = [pool.submit(passwords.verify, "hash", "password") for _ in range(30)]
        refusals = [other.exception(timeout=5) for other in others]
        hasher.release.set()
        results = [one.result(timeout=5) for one in running]

    assert [type(each) for each in refusals] == [Unavailable] * 30
    assert {each.headers["Retry-After"] for each in refusals if isinstance(each, Unavailable)} == {"2"}
    assert (results, hasher.most) == ([True, True], 2)


def test_control_without_slots_all_hash_at_once() -> None:
    hasher = _Blocking(parties=32)
    passwords = Passwords(hasher, slots=32)
    with ThreadPoolExecutor(32) as pool:
        running = [pool.submit(passwords.verify, "hash", "password") for _ in range(32)]
        hasher.entered.wait(32)
        hasher.release.set()
        assert all(one.result(timeout=5) for one in running)

    assert hasher.most == 32


def test_a_hash_with_dated_parameters_is_made_anew_at_login() -> None:
    house = House()
    house.a_user()
    before = house.users.account("ada@example.com").hash
    stronger = Argon2(memory_kib=128, passes=1)

    _with(house, Passwords(stronger)).login("ada@example.com", PASSWORD)

    after = house.users.account("ada@example.com").hash
    assert before is not None
    assert after is not None
    assert (stronger.is_dated(before), stronger.is_dated(after)) == (True, False)
    assert stronger.verify(after, PASSWORD)


def test_the_parameters_are_the_promised_ones() -> None:
    assert Argon2().hash("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("password", [" leading blank", "trailing blank ", "tab\tinside", "\ud800 half", "ünïcødé"])
def test_a_password_is_taken_as_sent(password: str) -> None:
    hasher = Argon2(memory_kib=64, passes=1)

    hashed = hasher.hash(password)

    assert hasher.verify(hashed, password)
    assert not hasher.verify(hashed, password.strip() + ".")
    assert not hasher.verify("no hash", password)


@pytest.mark.parametrize("password", ["password", "Password123", "12345678", "qwertyuiop", "ILOVEYOU", "11111111"])
def test_common_passwords_are_known_in_any_case(password: str) -> None:
    assert is_common(password)


@pytest.mark.parametrize("password", ["demo-password-1", PASSWORD, "password ", "tr0ub4dor&3 horse"])
def test_other_passwords_are_not_common(password: str) -> None:
    assert not is_common(password)


def test_the_pair_of_the_older_backend_gets_its_basic_header_and_no_refresh_token() -> None:
    house = House()

    answer, header = house.identity.token(PAIR.username, PAIR.password)

    assert header == "Basic ZmVlZDpmZWVkLXBhc3N3b3JkLW9mLW9sZA=="
    assert (answer.username, answer.role, answer.refresh_token) == ("feed", "operator", None)
    caller = house.tokens.verify(answer.access_token)
    assert house.identity.me(caller).id == "basic"


def test_a_stored_user_gets_no_basic_header() -> None:
    house = House()
    house.a_user()

    answer, header = house.identity.token("ada@example.com", PASSWORD)

    assert header is None
    assert answer.refresh_token is not None
    assert house.identity.refresh(answer.refresh_token).user.username == "ada@example.com"


def test_the_pair_is_throttled_like_every_account() -> None:
    house = House()
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            house.identity.token(PAIR.username, "wrong")

    with pytest.raises(RateLimited):
        house.identity.token(PAIR.username, PAIR.password)
    house.clock.advance(2)
    assert house.identity.token(PAIR.username, PAIR.password)[0].username == "feed"


def test_a_pair_shows_no_password() -> None:
    assert "secret" not in repr(Policy(basic=BasicPair("feed", "secret")))


def _with(house: House, passwords: Passwords) -> IdentityService:
    return replace(house.identity, passwords=passwords)


class _Counting:
    """A hasher that counts and finds every password wrong."""

    def __init__(self) -> None:
        self.verified = self.hashed = 0

    def hash(self, password: str) -> str:
        self.hashed += 1
        return f"hash {self.hashed}"

    def verify(self, hashed: str, password: str) -> bool:
        self.verified += 1
        return False

    def is_dated(self, hashed: str) -> bool:
        return False


class _Arrivals:
    """Counts threads that came in and lets one wait until enough have."""

    def __init__(self) -> None:
        self._condition, self._count = threading.Condition(), 0

    def come(self) -> None:
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def wait(self, wanted: int) -> None:
        with self._condition:
            assert self._condition.wait_for(lambda: self._count >= wanted, timeout=5)


class _Blocking(_Counting):
    """A hasher that holds its slot until released, and remembers how many held one at once."""

    def __init__(self, parties: int = 2) -> None:
        super().__init__()
        self.entered, self.release = _Arrivals(), threading.Event()
        self._lock, self._inside, self.most = threading.Lock(), 0, 0

    def verify(self, hashed: str, password: str) -> bool:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self.entered.come()
        assert self.release.wait(5)
        with self._lock:
            self._inside -= 1
        return True
