"""The way of facts into the warehouse: a row in the commit that made the fact, loaded exactly once, later.

Nothing on a hot path waits for the warehouse, and a warehouse that is down loses nothing: rows wait as documents. They are
merged by their key, so a batch that was loaded and not yet forgotten changes nothing when it is loaded again.
"""
