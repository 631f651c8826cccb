"""The HTTP surface of imports and scraping."""
