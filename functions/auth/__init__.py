"""Signing in, sessions, accounts."""
