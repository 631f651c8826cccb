"""The simulated web shop: pages, product lists, a sitemap, feeds in every format, and hostile files."""
