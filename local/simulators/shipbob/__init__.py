"""A simulated ShipBob: orders with shipments and details, stock per centre, and the vendor's API over them."""
