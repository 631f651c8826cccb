"""Demo data: what a believable business looks like, made from a seed or from public retail data."""
