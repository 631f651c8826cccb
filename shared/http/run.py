"""From a request to an answer: the checks in the contract's order, then the handler, once."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shared.core.conditions import precondition
from shared.core.errors import Problem, RateLimited
from shared.http.answers import Answer, answer_of, refusal
from shared.http.context import Context
from shared.http.exchange import Exchange, first_refusal
from shared.http.guard import admit
from shared.http.inputs import Inputs, inputs_of
from shared.http.origin import network, preflight
from shared.http.ratelimit import Charge, Limits
from shared.http.router import Operation
from shared.ports.documents import Conflict

if TYPE_CHECKING:
    from shared.http.idempotency import Attempt, Claim, Idempotency

__all__ = ["respond"]

_log = logging.getLogger(__name__)


def respond(exchange: Exchange[Any], limits: Limits, records: "Callable[[], Idempotency]") -> Answer:
    """Return the answer, or raise the problem that is the answer; the records of keys are asked for when one is given."""
    refused = first_refusal(exchange)
    operation = exchange.operation
    verdict = limits.take(_charges(exchange, refused), only_look=exchange.method == "OPTIONS")
    exchange.limit_headers = dict(verdict.headers)
    if refused is not None:
        exchange.limit_headers.pop("Retry-After", None)
        raise refused
    if not verdict.allowed:
        raise RateLimited(f"Too many requests; try again in {verdict.retry_after} s.")
    if operation is None:
        return _options(exchange)
    admit(operation, exchange.caller, exchange.refusal)
    inputs = inputs_of(exchange, operation)
    ctx = _context(exchange, operation)
    if inputs.key is None:
        return _work(operation, ctx, inputs)
    return _work_once(exchange, ctx, inputs, records())


def _charges(exchange: Exchange[Any], refused: Problem | None) -> list[Charge]:
    """Return which policies a request counts towards: the caller's own, and the operation's."""
    operation = exchange.operation if refused is None else None
    policy = "user" if operation is None else operation.policy
    caller, address = exchange.caller, network(exchange.address)
    if policy == "none" or (caller.scheme == "internal" and exchange.refusal is None):
        return []
    charges = [Charge("user", caller.user_id) if caller.user_id else Charge("ip", address)]
    if policy == "login":
        charges.append(Charge("login", address))
    elif policy != "user" and exchange.refusal is None:
        charges.append(Charge(policy, caller.user_id or address))
    return charges


def _options(exchange: Exchange[Any]) -> Answer:
    headers = exchange.request.headers
    allowed = exchange.app.settings.cors_origins
    answer = Answer(204, preflight(headers.get("Origin"), allowed, headers.get("Access-Control-Request-Method")))
    if exchange.found is not None:
        answer.headers["Allow"] = exchange.found.place.allow
    return answer


def _context(exchange: Exchange[Any], operation: Operation) -> Context[Any]:
    ctx: Context[Any] = Context(
        app=exchange.app,
        caller=exchange.caller,
        request=exchange.request,
        path=exchange.path,
        request_id=exchange.request_id,
        trace=exchange.trace.parent,
        address=exchange.address,
        numbers=exchange.numbers,
        upload=exchange.upload,
        body=exchange.body if operation.raw else b"",
    )
    if operation.is_unsafe:
        required = exchange.app.settings.require_preconditions
        ctx.precondition = precondition(exchange.request.headers.get("If-Match"), required=required)
    return ctx


def _work(operation: Operation, ctx: Context[Any], inputs: Inputs) -> Answer:
    work = _runner(operation, ctx, inputs)
    if not operation.atomic:
        return work()
    answer: Answer = ctx.app.store.atomically(work)
    return answer


def _work_once(exchange: Exchange[Any], ctx: Context[Any], inputs: Inputs, records: "Idempotency") -> Answer:
    """Run the handler under its key, or replay the answer the key has."""
    operation = exchange.operation
    assert operation is not None
    assert inputs.key is not None
    scope = (ctx.caller.user_id, operation.method, operation.canonical_path, inputs.key)
    work = _runner(operation, ctx, inputs)
    if operation.atomic:
        return _once(exchange, ctx, work, records.attempt(scope, inputs.fingerprint()))
    from shared.http.idempotency import Replay

    claim = records.claim(scope, inputs.fingerprint())
    if isinstance(claim, Replay):
        return claim.answer
    try:
        return _claimed(operation, ctx, work, claim)
    except Problem as problem:
        answer = refusal(problem, exchange.path, exchange.request_id, operation)
        claim.settle(answer)
        return answer
    except BaseException:
        claim.settle(Answer(500))
        raise


def _once(exchange: Exchange[Any], ctx: Context[Any], work: Callable[[], Answer], attempt: "Attempt") -> Answer:
    """Run a handler whose effect and record are one commit."""
    from shared.http.idempotency import Known

    with attempt:
        try:
            try:
                return _committed(ctx, work, attempt)
            except Problem as problem:
                refused = refusal(problem, exchange.path, exchange.request_id, exchange.operation)
                return attempt.refused(refused)
        except Known as known:
            found = known
        return attempt.replay(found)


def _committed(ctx: Context[Any], work: Callable[[], Answer], attempt: "Attempt") -> Answer:
    answer: Answer = ctx.app.store.atomically(work, finish=lambda made: (attempt.final(made),), first=attempt.first)
    return answer


def _claimed(operation: Operation, ctx: Context[Any], work: Callable[[], Answer], claim: "Claim") -> Answer:
    """Run a handler that works outside the store, then write the final record."""
    answer = work()
    try:
        ctx.app.store.documents.commit([claim.final(answer)])
    except Conflict:
        _log.warning("%s outlived its idempotency lease", operation.name)
    return answer


def _runner(operation: Operation, ctx: Context[Any], inputs: Inputs) -> Callable[[], Answer]:
    """Return the handler's run up to rendered bytes; it may run several times, each time anew."""

    def work() -> Answer:
        ctx.sent.clear()
        return answer_of(operation, operation.handler(ctx, **inputs.arguments), ctx.sent, legacy=ctx.is_legacy)

    return work
