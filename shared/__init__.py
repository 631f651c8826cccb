"""The package every Onhand function shares: core, ports, adapters, http and the domains."""
