"""The product's version, the same text as in pyproject.toml (a test compares them): bundles carry no pyproject."""

__all__ = ["NAME", "VERSION"]

NAME = "Onhand"
VERSION = "0.1.0"
