"""Jobs under crashes, duplicates, delays and late workers."""
