"""The embedded warehouse: one DuckDB file (or `:memory:`) owned by one process.

DuckDB and sqlglot are imported on first need only. No extension beyond those inside the wheel is ever loaded.
"""
