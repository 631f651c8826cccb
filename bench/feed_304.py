"""Goal 6: the same feed asked with If-None-Match: faster than the full answer, no body, hardly a read, no warehouse."""

from bench.feed import CONNECTIONS, FEED, GZIP, ROUNDS, feed
from bench.harness import Outcome, Void, fetch, interleaved, ratio
from bench.load import Ask, load
from bench.ours import BASIC

__all__ = ["measure"]

FASTER = 1.1
# A 304 of ours is its headers; anything longer carries a body.
MOST_HEADER_BYTES = 1000


def measure() -> Outcome:
    """Load the feed with and without its ETag in turns."""
    with feed() as ours:
        headers = {**BASIC, **GZIP}
        tag = fetch(ours.url + FEED, headers=headers).headers["ETag"]
        asked = {**headers, "If-None-Match": tag}
        if (unchanged := fetch(ours.url + FEED, headers=asked)).body:
            raise Void(f"a {unchanged.status} with a body")
        variants = {
            "304": lambda: load(ours, Ask(FEED, CONNECTIONS, asked, status=304)),
            "200": lambda: load(ours, Ask(FEED, CONNECTIONS, headers)),
        }
        rounds = interleaved(ROUNDS, variants)
    faster = ratio([{name: seen.per_second for name, seen in each.items()} for each in rounds], "304", "200")
    heaviest = max(each["304"].bytes_each for each in rounds)
    return Outcome(
        value=f"{faster:.2f}x the full answer, {heaviest:.0f} bytes of headers and no body",
        goal=f">= {FASTER}x, 0 body bytes; reads are asserted in tests/house/test_feed_cost.py",
        passed=faster >= FASTER and heaviest <= MOST_HEADER_BYTES,
        rounds=[
            ", ".join(f"{name} {seen.per_second:.0f} req/s, CPU {seen.cpu_ms:.2f} ms" for name, seen in each.items())
            for each in rounds
        ],
    )
