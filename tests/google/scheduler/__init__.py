"""Cloud Scheduler for tests: the gRPC service the official client speaks to, on time that a test moves."""
