"""The function `suppliers`: vendors, supplier connections, syncs."""
