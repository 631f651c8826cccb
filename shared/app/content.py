"""Content: drafts by a model or by templates, what they cost, and advice on prices."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.app.catalog import CatalogParts
from shared.core.once import later, once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from shared.content.drafts import Drafts
    from shared.content.requests import ContentRequests
    from shared.content.usage import Usage
    from shared.content.work import ContentWork, PriceWork
    from shared.jobs.kinds import Continue, Done, JobKind, Step
    from shared.ports.text import Text

__all__ = ["ContentParts"]

_COMPARED = timedelta(days=7)


class ContentParts(CatalogParts):
    """The services of content."""

    @once
    def writer(self) -> Text:
        """Return who writes: the model that the settings name, else the templates."""
        from shared.adapters.openai import OpenAiText
        from shared.content.templates import TemplateWriter

        settings = self.settings
        if not (settings.ai_base_url and settings.ai_model):
            return TemplateWriter()
        return OpenAiText(self.fetch, settings.ai_base_url, settings.ai_api_key, settings.ai_model)

    @once
    def drafts(self) -> Drafts:
        """Return drafts and deciding on them."""
        from shared.content.drafts import Drafts

        return Drafts(self.store, self.clock, later(lambda: self.products), lambda: self.writer)

    @once
    def ai_usage(self) -> Usage:
        """Return the counters of requests to a model."""
        from shared.content.usage import Budgets, Usage

        told = self.settings
        budgets = Budgets(told.ai_monthly_quota, told.ai_daily_quota, told.ai_user_daily_quota)
        return Usage(self.store, self.clock, budgets)

    @once
    def content(self) -> ContentRequests:
        """Return asking for texts and advice."""
        from shared.content.requests import ContentRequests

        by_model = bool(self.settings.ai_base_url and self.settings.ai_model)
        return ContentRequests(self.jobs, self.ai_usage, self.products, self.product_lists, counted=by_model)

    def kinds(self) -> Sequence[JobKind]:
        """Add the jobs of content."""
        from shared.jobs.kinds import JobKind
        from shared.jobs.names import ANALYZE_PRICING, BULK_ENRICH, GENERATE_CONTENT, OPTIMIZE_SEO

        return (
            *super().kinds(),
            JobKind(GENERATE_CONTENT, "ai", self._one_text, "Generate content"),
            JobKind(OPTIMIZE_SEO, "ai", self._one_text, "Optimize search texts"),
            JobKind(BULK_ENRICH, "ai", self._many_texts, "Enrich products", resumes=True),
            JobKind(ANALYZE_PRICING, "ai", self._prices, "Analyze prices"),
        )

    @once
    def _content_work(self) -> ContentWork:
        from shared.content.work import ContentWork

        return ContentWork(self.drafts, self.ai_usage)

    @once
    def _price_work(self) -> PriceWork:
        from shared.content.work import PriceWork

        return PriceWork(self.products, self._competitor_prices, self._stock_of)

    def _one_text(self, step: Step) -> Done | Continue:
        return self._content_work.one(step)

    def _many_texts(self, step: Step) -> Done | Continue:
        return self._content_work.many(step)

    def _prices(self, step: Step) -> Done | Continue:
        return self._price_work(step)

    def _competitor_prices(self, product_id: str, currency: str) -> Sequence[Decimal]:
        """Return what competitors asked in the last seven days, in the product's currency, newest of each."""
        from decimal import Decimal

        from shared.catalog.prices import COMPETITOR_PRICES
        from shared.core.clock import instant
        from shared.ports.documents import Query

        since = instant(self.clock.now() - _COMPARED)
        query = Query(
            COMPETITOR_PRICES,
            (("product_id", product_id),),
            order_by="seen_at",
            descending=True,
            at_least=since,
            limit=200,
        )
        newest: dict[str, Decimal] = {}
        for stored in self.store.query(query):
            if stored.data["currency"] == currency:
                newest.setdefault(stored.data["competitor"], Decimal(stored.data["price"]))
        return list(newest.values())

    def _stock_of(self, product_ids: Sequence[str]) -> Mapping[str, int]:
        sums = self.sums.of(product_ids)
        return {product_id: sums[product_id]["current_stock"] for product_id in product_ids}
