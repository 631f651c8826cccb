"""One folder per HTTP function; each is deployable alone."""
