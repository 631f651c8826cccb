"""Cloud KMS for tests: encrypt and decrypt of one key, spoken to by the official client."""
