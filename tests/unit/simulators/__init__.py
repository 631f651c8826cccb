"""The simulators against what sources.md says of the vendors."""
