"""The HTTP surface of stores, stock and its ledger."""
