"""The 3PLs as order sources: one folder per vendor, each with the same inner names.

    __init__.py   frozen options and `source(options, fetch, clock, rng)`, cheap to import
    client.py     the calls: authentication, paging, look-ups
    paging.py     where a walk goes on, as pure functions over its cursor
    mapping.py    vendor JSON to our records, as pure functions that never raise

The classes are imported by the factory only when a source is used.
"""
