"""Secret Manager for tests: the versions of one secret over REST, asked through the official authorised session."""
