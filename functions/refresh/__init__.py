"""Starting refreshes and reading their state over HTTP."""
