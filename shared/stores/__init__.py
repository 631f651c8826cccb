"""Stores: the places where stock lies, and the regions they form.

Exactly one store is the default; a fresh deployment has it, with code `MAIN`. Codes are unique. A store is deleted only when
it holds no stock and no order names it. Levels carry a store's name and region, so renaming a store relabels its levels.
"""
