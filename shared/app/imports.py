"""Imports: files, feeds and shop pages on their way into the catalogue.

A page that was read with `enrich_with_ai` asks content for a draft when its product's description has under 50 characters.
`known_supplier(id)` says whether a connection exists; the part that has connections takes it over.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from shared.app.stock import StockParts
from shared.core.once import once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.app.catalog import CatalogParts
    from shared.app.content import ContentParts
    from shared.catalog.products import Products
    from shared.imports.scrape import Scraper
    from shared.imports.service import ImportService
    from shared.imports.uploads import Uploads
    from shared.imports.work import ImportWork
    from shared.jobs.kinds import Continue, Done, JobKind, Step
    from shared.jobs.record import Record
    from shared.ports.documents import Write
    from shared.ports.files import Files

__all__ = ["ImportParts"]

_PIECE = 2**20
_SHORT = 50


class ImportParts(StockParts):
    """The services of imports."""

    @once
    def files(self) -> Files:
        """Return where uploads are kept, and what reads gs:// and s3://."""
        from shared.adapters.files import FilesByScheme, FolderFiles, GoogleFiles, S3Files

        url = self.settings.files_url
        google = GoogleFiles(url if url.startswith("gs:") else None, self.clock)
        folder = FolderFiles(self.data_dir / "files")
        own = google if self.settings.in_cloud or url.startswith("gs:") else folder
        return FilesByScheme(own, {"local": folder, "gs": google, "s3": S3Files()})

    @once
    def imports(self) -> ImportService:
        """Return starting imports and deciding about them."""
        from shared.imports.service import ImportService

        return ImportService(
            self.store,
            self.jobs,
            self.clock,
            self.ids,
            lambda: self.import_work,
            check_url=self.check_url,
            known_supplier=self.known_supplier,
        )

    @once
    def import_work(self) -> ImportWork:
        """Return what carries imports out."""
        from shared.adapters.feeds import FeedReader
        from shared.imports.apply import Applier
        from shared.imports.compare import Comparer
        from shared.imports.source import SourceReading
        from shared.imports.work import ImportWork

        products = self.import_catalogue
        return ImportWork(
            self.store,
            self.clock,
            SourceReading(self.fetch, self.files, FeedReader(), lambda: self.scraper),
            Comparer(self.store, products, self.stores.ensure_default),
            Applier(self.store, products, self.ledger, self.stores.ensure_default),
            self._image_allowed(products),
            currency=self.settings.default_currency,
            enrich=self._enrich,
        )

    @property
    def import_catalogue(self) -> Products:
        """Return the products that imports write: those of the whole application."""
        return cast("CatalogParts", self).products

    @once
    def scraper(self) -> Scraper:
        """Return what reads pages and shops; one per process, since it holds the pace of each host."""
        from shared.adapters.fetch.pace import HostPace
        from shared.adapters.robots import robots_rules
        from shared.imports.scrape import Scraper

        pace = HostPace(self.clock, per_minute=60)
        image_allowed = self._image_allowed(self.import_catalogue)
        return Scraper(self.fetch, self.store, self.clock, robots_rules, pace.wait, image_allowed, self._page_reader())

    def _page_reader(self) -> Callable[[str], str | None] | None:
        """Return who runs the scripts of pages, None where the settings name nobody."""
        from shared.adapters.firecrawl import FirecrawlPages

        key, base_url = self.settings.firecrawl_api_key, self.settings.firecrawl_base_url
        return FirecrawlPages(self.fetch, self.clock, base_url, key) if key else None

    def check_url(self, url: str) -> None:
        """Raise UrlNotAllowed for what can be seen of an address without connecting."""
        from shared.adapters.fetch.guard import Guard

        settings = self.settings
        Guard(settings.fetch_allow_hosts, allow_private=not settings.in_cloud).check(url)

    def keep_upload(self, data: bytes, name: str = "") -> str:
        """Keep an uploaded file under a name made of its content; return its address.

        Raise UnsupportedMediaType for workbooks, NotBuilt where this deployment has no place for files.
        """
        from shared.adapters.feeds.archives import is_spreadsheet
        from shared.core.errors import NotBuilt, UnsupportedMediaType

        if is_spreadsheet(data[:200], name):
            raise UnsupportedMediaType("Workbooks are not read; save the sheet as CSV.")
        if self.settings.in_cloud and not self.settings.files_url.startswith("gs:"):
            raise NotBuilt("This deployment has no place for uploads: set FILES_URL.")
        pieces = (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))
        return self.uploads.keep(hashlib.sha256(data).hexdigest(), pieces)

    @once
    def uploads(self) -> Uploads:
        """Return keeping uploaded files for as long as they can be needed."""
        from shared.imports.uploads import Uploads

        return Uploads(self.store, self.clock, self.files)

    def draft_content(self, product_ids: Sequence[str], user_id: str | None) -> None:
        """Ask for drafts of descriptions, within the surrounding commit; a quota that is used up asks for none."""
        from shared.content.request_models import GenerateContent
        from shared.core.errors import QuotaExceeded
        from shared.imports.compare import caller_of

        content = cast("ContentParts", self).content
        for product_id in product_ids:
            with suppress(QuotaExceeded):
                content.generate(
                    caller_of(user_id), GenerateContent(product_id=product_id, content_types=["description"])
                )

    def known_supplier(self, supplier_id: str) -> bool:
        """Say whether there is a connection of this id."""
        return cast("CatalogParts", self).has_supplier(supplier_id)

    def kinds(self) -> Sequence[JobKind]:
        """Add the jobs of imports."""
        from shared.jobs import names

        return (
            *super().kinds(),
            self._import_kind(names.IMPORT_RUN, "import", self._run_import, "Import"),
            self._import_kind(names.SCRAPE_URL, "scraping", self._run_import, "Read page"),
            self._import_kind(names.SCRAPE_STORE, "scraping", self._run_import, "Read shop"),
            self._import_kind(names.IMPORT_APPLY, "import", self._apply_import, "Apply import"),
            self._import_kind(names.IMPORT_UNDO, "import", self._undo_import, "Undo import"),
        )

    def chores(self) -> Sequence[Callable[[], None]]:
        """Add forgetting the rows of old imports, and their files."""
        return (*super().chores(), self._forget_rows, self._forget_uploads)

    def _import_kind(self, name: str, queue: str, handler: Callable[[Step], Done | Continue], label: str) -> JobKind:
        from shared.jobs.kinds import JobKind

        return JobKind(name, queue, handler, label, self._import_started, self._import_ended, resumes=True)

    def _run_import(self, step: Step) -> Done | Continue:
        return self.import_work.run(step)

    def _apply_import(self, step: Step) -> Done | Continue:
        return self.import_work.apply(step)

    def _undo_import(self, step: Step) -> Done | Continue:
        return self.import_work.undo(step)

    def _import_started(self, record: Record) -> Sequence[Write]:
        from shared.imports.service import started_writes

        return started_writes(self.store, record)

    def _import_ended(self, record: Record) -> Sequence[Write]:
        from shared.imports.service import ended_writes

        return ended_writes(self.store, record)

    def _enrich(self, product_ids: list[str], user_id: str | None) -> None:
        from shared.catalog.record import product_key

        found = self.store.get_many([product_key(each) for each in product_ids])
        short = [key.id for key, stored in found.items() if len(stored.data["description"] or "") < _SHORT]
        if short:
            self.draft_content(short, user_id)

    @staticmethod
    def _image_allowed(products: Products) -> Callable[[str], bool]:
        from shared.catalog.products import is_allowed_image

        return lambda address: is_allowed_image(address, products.rules.image_hosts)

    def _forget_uploads(self) -> None:
        self.uploads.forget()

    def _forget_rows(self) -> None:
        from shared.imports.record import PARTS
        from shared.jobs.cleanup import clean_expired

        clean_expired(self.documents, self.clock, PARTS)
