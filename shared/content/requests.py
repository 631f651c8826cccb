"""Asking for texts and advice: each request is counted and becomes a job, in one commit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from shared.catalog.models import ProductFilter
from shared.content.drafts import Products
from shared.content.request_models import AnalyzePricing, BulkEnrich, GenerateContent, OptimizeSeo
from shared.content.usage import Usage
from shared.content.work import ANALYZE, ENRICH, GENERATE, OPTIMIZE, SEO
from shared.core.caller import Caller
from shared.core.errors import FieldError, NotFound, Problem
from shared.core.values import dataclass
from shared.jobs.service import JobService

__all__ = ["ContentRequests", "Listed"]

_NOT_ARCHIVED = ("active", "draft", "paused")
_ENRICHED = {"description": ("description",), "seo": SEO}


class Listed(Protocol):
    """What content needs of lists of products."""

    def rows(self, wanted: ProductFilter) -> Iterator[dict[str, Any]]:
        """Yield products as shown."""
        ...


@dataclass(frozen=True, slots=True)
class ContentRequests:
    """Requests of people; `counted` says whether a model writes, whose requests have a quota."""

    jobs: JobService
    usage: Usage
    products: Products
    lists: Listed
    counted: bool

    def generate(self, caller: Caller, wanted: GenerateContent) -> str:
        """Ask for texts of one product; raise NotFound or QuotaExceeded. Return the job's id."""
        self.products.get(wanted.product_id)
        self._take("content", 1, caller)
        given = {
            "product_id": wanted.product_id,
            "kind": "content",
            "fields": list(dict.fromkeys(wanted.content_types)),
            "language": wanted.language,
            "tone": wanted.tone.value,
            "keywords": [],
        }
        return self._start(GENERATE, wanted.product_id, given, caller)

    def optimize(self, caller: Caller, wanted: OptimizeSeo) -> list[str]:
        """Ask for search texts, one job per product; raise NotFound naming every unknown product, or QuotaExceeded."""
        ids = list(dict.fromkeys(wanted.product_ids))
        self._require(ids)
        self._take("seo", len(ids), caller)
        keywords = list(dict.fromkeys(wanted.target_keywords or ()))
        common = {"kind": "seo", "fields": list(SEO), "language": wanted.language, "tone": "professional"}
        return [
            self._start(OPTIMIZE, product_id, {"product_id": product_id, "keywords": keywords, **common}, caller)
            for product_id in ids
        ]

    def enrich(self, caller: Caller, wanted: BulkEnrich) -> str:
        """Ask for texts of the products that match now; raise QuotaExceeded."""
        given = wanted.filter_criteria.model_dump(exclude_none=True)
        filters: Mapping[str, Any] = {name: [value] for name, value in given.items()}
        ids: list[str] = []
        for row in self.lists.rows(ProductFilter(**{"status": list(_NOT_ARCHIVED), **filters})):
            ids.append(row["id"])
            if len(ids) == wanted.limit:
                break
        self._take("enrich", len(ids), caller)
        fields = [name for kind in dict.fromkeys(wanted.enrichment_types) for name in _ENRICHED[kind]]
        return self._start(ENRICH, None, {"product_ids": ids, "fields": fields, "language": "fr"}, caller)

    def analyze(self, caller: Caller, wanted: AnalyzePricing) -> str:
        """Ask for advice on prices; unknown products are entries of the result."""
        return self._start(ANALYZE, None, wanted.model_dump(mode="json"), caller)

    def _start(self, kind: str, subject: str | None, given: dict[str, Any], caller: Caller) -> str:
        return self.jobs.start(kind, subject, given, caller, single_flight=False).job.id

    def _take(self, kind: str, count: int, caller: Caller) -> None:
        if self.counted and count:
            self.usage.take(kind, count, caller.user_id)

    def _require(self, product_ids: Sequence[str]) -> None:
        errors: list[FieldError] = []
        for number, product_id in enumerate(product_ids):
            try:
                self.products.get(product_id)
            except Problem:
                errors.append(FieldError(f"/product_ids/{number}", "not_found", "No product has this id."))
        if errors:
            raise NotFound("A product does not exist.", resource="product", errors=tuple(errors))
