"""A small Firestore of our own for the real client to talk to: test equipment, unknown to `shared/`."""
