"""The function `alerts`."""
