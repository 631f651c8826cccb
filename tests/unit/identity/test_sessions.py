"""T05: refresh tokens rotate, a lost answer is forgiven once, a second use ends the family."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from shared.core.errors import Unauthenticated
from shared.identity import sessions
from shared.identity.models import PasswordChange
from shared.identity.rules import Family, Verdict
from shared.ports.documents import Query
from tests.faults.jobs.volume import sized
from tests.unit.identity.builders import PASSWORD, House

ROUNDS = 100


def code_of(attempt: Callable[[], object]) -> str:
    """Return the code of the refusal, or `accepted`."""
    try:
        attempt()
    except Unauthenticated as refusal:
        return refusal.errors[0].code
    return "accepted"


def outcome(house: House, token: str) -> str:
    """Use a refresh token and say what came of it."""
    return code_of(lambda: house.identity.refresh(token))


def a_house() -> tuple[House, str]:
    """Return a house and the first refresh token of its one user."""
    house = House()
    house.a_user()
    return house, house.a_session().refresh_token


def test_a_refresh_token_is_exchanged_for_its_successor() -> None:
    house, first = a_house()

    pair = house.identity.refresh(first)

    assert pair.refresh_token != first
    assert house.tokens.verify(pair.access_token).username == "ada@example.com"
    assert outcome(house, pair.refresh_token) == "accepted"


def test_only_digests_are_stored() -> None:
    house, first = a_house()

    second = house.identity.refresh(first).refresh_token

    rows = house.documents._connections.rows
    tables = [name for (name,) in rows("SELECT name FROM sqlite_master WHERE type = 'table'", ())]
    everything = str([rows(f'SELECT * FROM "{table}"', ()) for table in tables])  # noqa: S608 - our own tables
    assert "refresh" in str(tables)
    assert [secret for secret in (first, second, PASSWORD) if secret in everything] == []


def test_a_lost_answer_is_forgiven_within_twenty_seconds() -> None:
    house, first = a_house()
    lost = house.identity.refresh(first).refresh_token
    house.clock.advance(20)

    again = house.identity.refresh(first).refresh_token

    house.clock.advance(1)
    assert outcome(house, again) == "accepted"
    house.clock.advance(60)
    assert outcome(house, lost) == "token_reused"


def test_after_the_grace_a_second_use_ends_the_family() -> None:
    house, first = a_house()
    second = house.identity.refresh(first).refresh_token
    house.clock.advance(20.001)

    assert outcome(house, first) == "token_reused"
    assert outcome(house, second) == "token_reused"


def test_within_the_grace_a_used_successor_makes_it_theft() -> None:
    house, first = a_house()
    second = house.identity.refresh(first).refresh_token
    third = house.identity.refresh(second).refresh_token

    assert outcome(house, first) == "token_reused"
    assert outcome(house, third) == "token_reused"


def test_repeating_a_lost_answer_does_not_prolong_the_grace() -> None:
    house, first = a_house()
    house.identity.refresh(first)
    house.clock.advance(15)
    house.identity.refresh(first)
    house.clock.advance(6)

    assert outcome(house, first) == "token_reused"


def test_theft_ends_one_family_and_leaves_the_others() -> None:
    house, first = a_house()
    elsewhere = house.a_session().refresh_token
    house.identity.refresh(first)
    house.clock.advance(30)

    assert outcome(house, first) == "token_reused"
    assert outcome(house, elsewhere) == "accepted"


def test_twenty_parallel_uses_leave_one_live_successor() -> None:
    for _ in range(sized(ROUNDS // 10, ROUNDS)):
        house, first = a_house()
        with ThreadPoolExecutor(20) as pool:
            answers = [pair.refresh_token for pair in pool.map(house.identity.refresh, [first] * 20)]
        live = [token for token in answers if outcome(house, token) == "accepted"]

        assert (len(set(answers)), len(live)) == (20, 1)


def test_losing_answers_and_replaying_late_a_hundred_times() -> None:
    house = House()
    house.a_user()
    outcomes = []
    for _ in range(ROUNDS):
        first = house.a_session().refresh_token
        house.identity.refresh(first)
        stays = house.identity.refresh(first).refresh_token
        kept = house.identity.refresh(stays).refresh_token
        house.clock.advance(21)
        outcomes.append([outcome(house, token) for token in (kept, first, kept)])

    assert outcomes == [["accepted", "token_reused", "token_reused"]] * ROUNDS


def test_control_without_reuse_detection_a_thief_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def gullible(family: Family, digest: str, superseded_at: object, now: object) -> Verdict:
        return Verdict.ROTATE if digest in {family.current, family.previous} else Verdict.REFUSE

    monkeypatch.setattr(sessions, "judged", gullible)
    house, first = a_house()
    house.identity.refresh(first)
    house.clock.advance(3600)

    assert outcome(house, first) == "accepted"


def test_a_refresh_token_lives_seven_days() -> None:
    house, first = a_house()
    house.clock.advance(7 * 86400 - 1)
    second = house.identity.refresh(first).refresh_token
    house.clock.advance(7 * 86400)

    assert outcome(house, second) == "expired"


@pytest.mark.parametrize("token", ["", "nothing", "x" * 8192, "\ud800", "eyJhbGciOiJub25lIn0.e30."])
def test_an_unknown_token_is_refused(token: str) -> None:
    house, _ = a_house()

    assert outcome(house, token) == "invalid"


def test_logging_out_ends_that_session_only() -> None:
    house, first = a_house()
    caller = house.tokens.verify(house.a_session().access_token)
    other = house.a_session().refresh_token

    house.identity.logout(caller, first)

    assert outcome(house, first) == "invalid"
    assert outcome(house, other) == "accepted"


def test_logging_out_without_a_token_ends_every_session() -> None:
    house, first = a_house()
    session = house.a_session()

    house.identity.logout(house.tokens.verify(session.access_token), None)

    assert [outcome(house, t) for t in (first, session.refresh_token)] == ["invalid"] * 2
    assert outcome(house, house.a_session().refresh_token) == "accepted"


def test_nobody_logs_somebody_else_out() -> None:
    house, first = a_house()
    house.a_user("eve@example.com")
    eve = house.tokens.verify(house.a_session("eve@example.com").access_token)

    house.identity.logout(eve, first)

    assert outcome(house, first) == "accepted"


def test_a_new_password_ends_every_session() -> None:
    house, first = a_house()
    caller = house.tokens.verify(house.a_session().access_token)

    house.identity.change_password(
        caller, PasswordChange(current_password=PASSWORD, new_password="another fine passphrase")
    )

    assert outcome(house, first) == "invalid"
    assert code_of(lambda: house.identity.login("ada@example.com", PASSWORD)) == "bad_credentials"
    assert house.identity.login("ada@example.com", "another fine passphrase").user.username == "ada@example.com"


def test_a_deactivated_user_is_refused_at_once_and_his_old_sessions_stay_ended() -> None:
    house, first = a_house()
    user_id = house.identity.refresh(first).user.id
    house.users.change(user_id, lambda _: {"is_active": False})
    assert outcome(house, first) == "invalid"

    house.users.change(user_id, lambda _: {"is_active": True})

    assert outcome(house, first) == "invalid"


def test_a_deleted_user_is_refused_at_once() -> None:
    house, first = a_house()
    second = house.identity.refresh(first)

    house.users.delete(second.user.id)

    assert outcome(house, second.refresh_token) == "invalid"


def test_what_expired_is_swept_away() -> None:
    house, first = a_house()
    house.identity.refresh(first)
    house.clock.advance(8 * 86400 + 1)

    assert house.identity.sessions.sweep() == 3
    assert house.identity.sessions.sweep() == 0


class Families(RuleBasedStateMachine):
    """Whoever presents whatever token whenever: one token lives at most, and a second use ends all."""

    tokens = Bundle("tokens")

    @initialize(target=tokens)
    def sign_in(self) -> str:
        """Begin one family."""
        self.house, self.live = a_house()
        self.ended = False
        self.before, self.rotated_at = "", 0.0
        self.replaced: dict[str, float] = {}
        return self.live

    @rule(seconds=st.sampled_from([1, 9, 10, 20, 21]))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.house.clock.advance(seconds)

    @rule(target=tokens, token=tokens)
    def present(self, token: str) -> object:
        """Present any token ever issued and compare with the model."""
        expected = self._expected(token)
        received: list[str] = []
        assert code_of(lambda: received.append(self.house.identity.refresh(token).refresh_token)) == expected
        if expected != "accepted":
            self.ended = self.ended or expected == "token_reused"
            return multiple()
        if token == self.live:
            self.before, self.rotated_at = token, self._now()
        else:
            self.replaced[self.live] = self._now()
        self.live = received[0]
        return self.live

    @invariant()
    def the_family_knows_one_live_token(self) -> None:
        """Look into the store."""
        if hasattr(self, "live"):
            families = self.house.store.query(Query("refresh_families"))
            assert [family.data["current"] for family in families] == [hashlib.sha256(self.live.encode()).hexdigest()]
            assert (families[0].data["ended"] is not None) == self.ended

    def _expected(self, token: str) -> str:
        recent = self._now() - 20
        if self.ended:
            return "token_reused"
        if token == self.live or (token == self.before and self.rotated_at >= recent):
            return "accepted"
        return "invalid" if self.replaced.get(token, recent - 1) >= recent else "token_reused"

    def _now(self) -> float:
        return self.house.clock.monotonic()


Families.TestCase.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestFamilies = Families.TestCase
