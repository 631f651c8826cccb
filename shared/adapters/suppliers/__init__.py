"""Suppliers behind the port `shared.suppliers.port.Source`: one sub-package or module per kind."""
