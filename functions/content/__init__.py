"""The function `content`."""
