"""A01, A02: alerts are neither noisy nor silent. The rules alone, over random walks, with broken variants that must fail."""

import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from shared.alerts.rules import (
    DEFAULTS,
    Judgement,
    decided,
    judge_depletion,
    judge_feed,
    judge_job,
    judge_level,
    judge_order,
    margin,
)
from shared.alerts.words import AlertType, Severity

SEED = 20260115
THRESHOLD = 10


def a_level(available: int, **facts: Any) -> dict[str, Any]:
    """Return a level that has so many units available."""
    return {
        "product_id": "prd_1",
        "store_id": "str_1",
        "product_name": "Mug",
        "store_name": "Main",
        "sku": "MUG",
        "available": available,
        "effective_reorder_level": THRESHOLD,
        "reorder_level": None,
        "product_active": True,
        **facts,
    }


class Cause:
    """One cause with its alert, as the book keeps it."""

    def __init__(self, settings: Mapping[str, Any] = DEFAULTS) -> None:
        """Nothing has happened yet."""
        self.settings = settings
        self.alert: dict[str, Any] | None = None
        self.kept: dict[str, Any] | None = None
        self.events: list[str] = []

    def judge(self, judgement: Judgement) -> str:
        """Apply a judgement."""
        outcome = decided(judgement, self.alert, self.kept, f"t{len(self.events)}")
        if outcome.alert is not None:
            self.alert = None if outcome.alert["status"] == "resolved" else outcome.alert
        if outcome.cause is not None:
            self.kept = {"alert_id": "alr_1" if self.alert else None, **outcome.cause}
        self.events.append(outcome.event)
        return outcome.event

    def resolve_by_hand(self) -> None:
        """Close the alert as a person does."""
        assert self.alert is not None
        self.kept = {"alert_id": None, "by_hand": self.alert["severity"]}
        self.alert = None


def walk(judge: Callable[[int], Judgement], steps: int = 10_000) -> tuple[Cause, list[int]]:
    """Let stock wander around its threshold; return what happened."""
    rng, available = random.Random(SEED), THRESHOLD
    cause, seen = Cause(), []
    for _ in range(steps):
        available = max(0, available + rng.choice((-2, -1, -1, 0, 1, 1, 2)))
        seen.append(available)
        cause.judge(judge(available))
    return cause, seen


def openings_needed(seen: list[int]) -> int:
    """Count by hand: a fall to the threshold after a recovery beyond the margin is one opening."""
    count, is_open = 0, False
    for available in seen:
        if not is_open and available <= THRESHOLD:
            count, is_open = count + 1, True
        elif is_open and available > THRESHOLD + margin(THRESHOLD, DEFAULTS["hysteresis_percent"]):
            is_open = False
    return count


def test_a_wandering_level_opens_once_for_each_fall_and_resolves_once_for_each_recovery() -> None:
    cause, seen = walk(lambda available: judge_level(a_level(available), DEFAULTS))

    opened, resolved = cause.events.count("opened"), cause.events.count("resolved")
    print(f"seed {SEED}: {opened} openings, {resolved} resolutions in {len(seen)} updates")
    assert opened == openings_needed(seen)
    assert resolved in {opened, opened - 1}
    assert opened < len(seen) / 20


def test_control_without_hysteresis_the_same_walk_is_noisy() -> None:
    flat = {**DEFAULTS, "hysteresis_percent": 0}

    def nervous(available: int) -> Judgement:
        judged = judge_level(a_level(available), flat)
        return Judgement(judged.alert_type, judged.dedupe_key, judged.fires, not judged.fires, facts=judged.facts)

    cause, seen = walk(nervous)

    assert cause.events.count("opened") > openings_needed(seen)


@pytest.mark.parametrize(
    ("available", "fires", "over", "severity"),
    [
        (0, True, False, "critical"),
        (1, True, False, "warning"),
        (10, True, False, "warning"),
        (11, False, False, "warning"),
        (12, False, True, "warning"),
    ],
)
def test_a_level_fires_at_its_threshold_and_is_over_beyond_the_margin(
    available: int, fires: bool, over: bool, severity: str
) -> None:
    judged = judge_level(a_level(available), DEFAULTS)

    assert (judged.fires, judged.over, judged.severity.value) == (fires, over, severity)
    assert judged.facts["rule"] == "product"
    assert judge_level(a_level(available, reorder_level=THRESHOLD), DEFAULTS).facts["rule"] == "level"


def test_a_disabled_type_or_an_inactive_product_opens_nothing_and_closes_what_is_open() -> None:
    for level, settings in (
        (a_level(0), {**DEFAULTS, "low_stock_enabled": False}),
        (a_level(0, product_active=False), DEFAULTS),
    ):
        cause = Cause()
        cause.judge(judge_level(a_level(0), DEFAULTS))

        assert cause.judge(judge_level(level, settings)) == "resolved"
        assert cause.judge(judge_level(level, settings)) == "nothing"


def test_worse_is_an_escalation_and_better_is_not() -> None:
    cause = Cause()

    events = [cause.judge(judge_level(a_level(available), DEFAULTS)) for available in (5, 0, 0, 4, 0)]

    assert events == ["opened", "escalated", "updated", "updated", "escalated"]
    assert cause.alert is not None
    assert cause.alert["occurrences"] == 5


def test_after_a_resolution_by_hand_the_condition_must_have_been_false_or_be_worse() -> None:
    def at(cause: Cause, available: int) -> str:
        return cause.judge(judge_level(a_level(available), DEFAULTS))

    same = Cause()
    at(same, 5)
    same.resolve_by_hand()
    worse = Cause()
    at(worse, 5)
    worse.resolve_by_hand()

    assert [at(same, 4), at(same, 11), at(same, 4)] == ["nothing", "nothing", "opened"]
    assert at(worse, 0) == "opened"


def test_depletion_fires_within_the_days_and_is_over_two_days_beyond() -> None:
    today = date(2026, 1, 15)
    product = {"id": "prd_1", "name": "Mug", "sku": "MUG", "active": True, "available": 4}

    def at(days: int | None) -> tuple[bool, bool, Severity]:
        when = today + timedelta(days=days) if days is not None else None
        judged = judge_depletion(product, when, today, DEFAULTS)
        return judged.fires, judged.over, judged.severity

    assert [at(days) for days in (3, 7, 8, 9, 10, None)] == [
        (True, False, Severity.CRITICAL),
        (True, False, Severity.WARNING),
        (False, False, Severity.WARNING),
        (False, False, Severity.WARNING),
        (False, True, Severity.WARNING),
        (False, True, Severity.WARNING),
    ]


def test_orders_feeds_and_jobs_are_judged_by_their_own_limits() -> None:
    order = {"id": "tro_1", "order_number": "ORD000001", "status": "pending_review", "created_at": "x"}
    late = judge_order(order, 97.0, 48.0, DEFAULTS)
    feed = judge_feed("stord", 4 * 3600 + 1, timedelta(hours=1), DEFAULTS, stale=True)
    job = judge_job("refresh-source", "stord", "http_500", failed=True)

    assert (late.fires, late.severity, late.dedupe_key) == (True, Severity.CRITICAL, "order_sla:tro_1")
    assert judge_order(order, 47.0, 48.0, DEFAULTS).fires is False
    assert judge_order({**order, "status": "approved"}, 97.0, 48.0, DEFAULTS).over is True
    assert (feed.fires, feed.severity, feed.dedupe_key) == (True, Severity.CRITICAL, "feed_stale:stord")
    assert (job.fires, job.alert_type, job.dedupe_key) == (
        True,
        AlertType.JOB_FAILED,
        "job_failed:refresh-source:stord",
    )
