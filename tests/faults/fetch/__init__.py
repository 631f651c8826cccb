"""Attacks on the way out, and faults of the vendors behind it."""
