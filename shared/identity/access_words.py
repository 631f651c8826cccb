"""The groups of operations that an API key's scopes can name: the functions."""

__all__ = ["GROUPS"]

GROUPS = frozenset(
    {
        "alerts",
        "auth",
        "catalog",
        "content",
        "forecasts",
        "imports",
        "inventory",
        "jobs",
        "meta",
        "oos",
        "orders",
        "refresh",
        "sales",
        "suppliers",
    }
)
