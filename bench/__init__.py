"""Speed and cost, one file per goal: only numbers that somebody runs again. `make bench` runs all, `make bench-<name>` one."""
