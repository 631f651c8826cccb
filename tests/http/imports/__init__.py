"""Imports and scraping on the wire."""
