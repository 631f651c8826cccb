"""The HTTP kernel: what every operation has in common, declared once.

A route is declared through `Router` with its access, inputs and result; `serve` turns routers into one callable that
routes, checks, parses, runs and answers. There is no other way to serve a path, so nothing can be forgotten.

Import from the modules: `router` (Router, Reply, Raw), `context` (Context), `page` (Page, PageQuery, paginate), `serve`.
"""
