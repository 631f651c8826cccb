"""What the kinds of jobs and their queues are called.

Starting, listing and counting jobs needs the names of all kinds, but nothing of what carries them out: the names stand here
alone, and each domain takes its own from here.
"""

__all__ = [
    "ALERTS",
    "ALERT_DIGEST",
    "ANALYZE_PRICING",
    "AUDIT_STOCK",
    "BULK_ENRICH",
    "CATALOG_UPKEEP",
    "FLUSH_OUTBOX",
    "FULFIL_ORDER",
    "GENERATE_CONTENT",
    "IMPORT_APPLY",
    "IMPORT_RUN",
    "IMPORT_UNDO",
    "ML",
    "NOTIFY",
    "OPTIMIZE_SEO",
    "REFRESH_ORDER",
    "REFRESH_SOURCE",
    "RELABEL_STORE",
    "SCRAPE_STORE",
    "SCRAPE_URL",
    "SUPPLIER_SYNC",
    "TRAIN_FORECASTS",
]

ALERTS = "alerts"
ML = "ml"

ALERT_DIGEST = "alert-digest"
AUDIT_STOCK = "audit-stock"
CATALOG_UPKEEP = "catalog-upkeep"
FLUSH_OUTBOX = "flush-outbox"
FULFIL_ORDER = "fulfil-order"
GENERATE_CONTENT, OPTIMIZE_SEO = "generate-content", "optimize-seo"
BULK_ENRICH, ANALYZE_PRICING = "bulk-enrich", "analyze-pricing"
IMPORT_RUN, IMPORT_APPLY, IMPORT_UNDO = "import-run", "import-apply", "import-undo"
NOTIFY = "notify"
REFRESH_ORDER, REFRESH_SOURCE = "refresh-order", "refresh-source"
RELABEL_STORE = "relabel-store"
SCRAPE_STORE, SCRAPE_URL = "scrape-store", "scrape-url"
SUPPLIER_SYNC = "supplier-sync"
TRAIN_FORECASTS = "train-forecasts"
