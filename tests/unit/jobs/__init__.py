"""Jobs: rules, steps, use cases."""
