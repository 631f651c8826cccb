"""The few interfaces to the world; each docstring is the contract its adapters are tested against."""
