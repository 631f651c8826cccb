"""Readers of product files: bytes in, rows out, one piece at a time; nothing here ever holds a whole file."""

from shared.adapters.feeds.reader import Feed, FeedReader

__all__ = ["Feed", "FeedReader"]
