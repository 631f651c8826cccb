"""Imports under crashes, races and hostile files."""
