-- All counters.
SELECT id, n FROM {counters} ORDER BY id
