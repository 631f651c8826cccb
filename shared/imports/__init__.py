"""Imports: product rows from files, feeds and shop pages, shown as a diff before they change anything.

An **import run** reads its **source** to the end into **staged** chunks of clean rows, compares them with the catalogue (the
**diff**), and applies exactly that diff: a product that moved since is never overwritten. What was applied is written down
beside the effect, in the same commit, so that a crash continues where it stopped and an **undo** can take everything back.
"""
