"""Transfer orders between stores and customers' orders over HTTP."""
