"""The handlers of content jobs: one draft, search texts, many drafts, and advice on prices."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from shared.content.drafts import Drafts, Products, Wanted
from shared.content.pricing import Positioning, advise, margin_percent
from shared.content.usage import Usage
from shared.core.errors import Problem, Terminal
from shared.core.money import number, rounded
from shared.core.values import dataclass
from shared.jobs.kinds import Continue, Done, Step
from shared.jobs.names import ANALYZE_PRICING, BULK_ENRICH, GENERATE_CONTENT, OPTIMIZE_SEO
from shared.ports.documents import Stored

__all__ = ["ANALYZE", "ENRICH", "GENERATE", "OPTIMIZE", "ContentWork", "PriceWork"]

GENERATE, OPTIMIZE, ENRICH, ANALYZE = GENERATE_CONTENT, OPTIMIZE_SEO, BULK_ENRICH, ANALYZE_PRICING
_MARGIN_S = 70.0
Data = dict[str, Any]
SEO = ("seo_title", "seo_description")


@dataclass(frozen=True, slots=True)
class ContentWork:
    """Writing drafts in jobs."""

    drafts: Drafts
    usage: Usage

    def one(self, step: Step) -> Done:
        """Write the draft of one product (generate-content and optimize-seo)."""
        given = step.input
        draft_id = _draft_id(step.job_id, 0)
        wanted = Wanted(
            given["product_id"], given["kind"], given["fields"], given["language"], given["tone"], given["keywords"]
        )
        writes, tokens = self.drafts.written(wanted, draft_id, step.job_id)
        self.usage.add_tokens(tokens)
        return Done({"draft_id": draft_id}, writes)

    def many(self, step: Step) -> Done | Continue:
        """Write a draft for each selected product; one that fails does not stop the rest."""
        given = step.input
        at = step.cursor or 0
        counts = step.counts or {"total": len(given["product_ids"]), "enriched": 0, "failed": 0}
        while at < len(given["product_ids"]):
            if step.time_left() < _MARGIN_S:
                return Continue()
            product_id = given["product_ids"][at]
            wanted = Wanted(product_id, "enrich", given["fields"], given["language"], "professional")
            draft_id = _draft_id(step.job_id, at)
            try:
                writes, tokens = self.drafts.written(wanted, draft_id, step.job_id)
            except (Problem, Terminal) as refused:
                code = refused.code if isinstance(refused, Terminal) else "not_found"
                step.item(product_id, "failed", code, str(refused)[:200])
                writes, tokens, counts = (), 0, {**counts, "failed": counts["failed"] + 1}
            else:
                step.item(product_id, "succeeded")
                counts = {**counts, "enriched": counts["enriched"] + 1}
            at += 1
            step.checkpoint(cursor=at, counts=counts, progress=(at, len(given["product_ids"]), None), writes=writes)
            self.usage.add_tokens(tokens)
        return Done(counts)


@dataclass(frozen=True, slots=True)
class PriceWork:
    """Advice on prices in jobs; nothing is changed."""

    products: Products
    competitors: Callable[[str, str], Sequence[Decimal]]
    stock_of: Callable[[Sequence[str]], Mapping[str, int]]

    def __call__(self, step: Step) -> Done:
        """Analyze the prices of the products asked for."""
        given = step.input
        found: list[Stored] = []
        errors: list[Data] = []
        for product_id in dict.fromkeys(given["product_ids"]):
            try:
                found.append(self.products.get(product_id))
            except Problem:
                errors.append({"product_id": product_id, "error": "not_found"})
        positioning = Positioning(given["market_positioning"])
        rows = [self._row(stored, positioning, compare=given["competitor_analysis"]) for stored in found]
        stock = self.stock_of([stored.key.id for stored in found])
        return Done(
            {"analyzed": len(rows), "recommendations": rows, "errors": errors, "summary": _summary(rows, stock)}
        )

    def _row(self, stored: Stored, positioning: Positioning, *, compare: bool) -> Data:
        data = stored.data
        cost, current = _decimal(data["unit_cost"]), _decimal(data["sale_price"])
        seen = self.competitors(stored.key.id, data["currency"]) if compare else ()
        advice = advise(cost, current, positioning, seen)
        change = advice.price - current if advice.price is not None and current is not None else None
        return {
            "product_id": stored.key.id,
            "title": data["name"],
            "currency": data["currency"],
            "cost_price": number(cost),
            "current_price": number(current),
            "current_margin": number(margin_percent(current, cost)),
            "recommended_price": number(advice.price),
            "recommended_margin": number(margin_percent(advice.price, cost)),
            "competitor_avg": number(rounded(sum(seen, Decimal(0)) / len(seen))) if seen else None,
            "price_change": number(change),
            "reasoning": advice.reasoning,
        }


def _summary(rows: Sequence[Data], stock: Mapping[str, int]) -> Data:
    changes = [Decimal(repr(row["price_change"])) for row in rows if row["price_change"] is not None]
    before, after = _mean(rows, "current_margin"), _mean(rows, "recommended_margin")
    impact: dict[str, Decimal] = {}
    for row in rows:
        if row["price_change"] is not None:
            worth = Decimal(repr(row["price_change"])) * stock.get(row["product_id"], 0)
            impact[row["currency"]] = impact.get(row["currency"], Decimal(0)) + worth
    return {
        "total_products": len(rows),
        "price_increases": sum(change > 0 for change in changes),
        "price_decreases": sum(change < 0 for change in changes),
        "unchanged": len(rows) - sum(change != 0 for change in changes),
        "avg_current_margin": number(before),
        "avg_recommended_margin": number(after),
        "margin_improvement": number(after - before) if before is not None and after is not None else None,
        "total_price_impact": {currency: number(rounded(worth)) for currency, worth in sorted(impact.items())},
    }


def _mean(rows: Sequence[Data], name: str) -> Decimal | None:
    known = [Decimal(repr(row[name])) for row in rows if row[name] is not None]
    return rounded(sum(known, Decimal(0)) / len(known)) if known else None


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _draft_id(job_id: str, at: int) -> str:
    """Name a draft by its job and place: writing it again writes the same one."""
    return f"dft_{job_id.partition('_')[2]}" + (f"_{at}" if at else "")
