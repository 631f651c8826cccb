"""The queue of held orders over HTTP."""
