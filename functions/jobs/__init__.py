"""The HTTP surface of background jobs."""
