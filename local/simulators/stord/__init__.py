"""A simulated Stord: orders with lines, stock per facility, and the API as its clients describe it (beliefs ST-01 to ST-17)."""
