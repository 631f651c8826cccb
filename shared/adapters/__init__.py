"""The only modules that touch a database, a queue, a cloud client or a socket.

One sub-package or module per technology; each implements a port of `shared.ports` and is chosen by `shared.app` from the
settings. Cloud clients are imported inside functions, so that importing an adapter costs nothing.
"""
