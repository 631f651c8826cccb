"""The whole product on one machine: runner, simulators and demo data."""
