"""Rules of imports, and the readers of files."""
