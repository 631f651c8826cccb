"""A BigQuery REST v2 server of our own, on DuckDB, for the real official client to talk to.

Test equipment: nothing in `shared/` may know it. It refuses what a lenient emulator accepts: a second job of one name, a
bad row, a query over a partitioned table without its filter. Faults are scripted by the test.
"""
