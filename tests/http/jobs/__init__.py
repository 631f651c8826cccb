"""Jobs and the worker on the wire."""
