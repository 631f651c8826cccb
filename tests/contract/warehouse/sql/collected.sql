-- Everything of one id as arrays and structs, with the counter of that id where there is one.
-- @from_time TIMESTAMP
SELECT
  r.id,
  ARRAY_AGG(r.count IGNORE NULLS ORDER BY r.at) AS counts,
  STRING_AGG(r.note, ', ' ORDER BY r.note) AS notes,
  ARRAY_AGG(STRUCT(r.at AS at, r.amount AS amount) ORDER BY r.at) AS pairs,
  COALESCE(MAX(c.n), -1) AS n,
  IF(LOGICAL_AND(r.ok), 'all', 'some') AS verdict
FROM {readings} AS r
LEFT JOIN {counters} AS c ON c.id = r.id
WHERE r.at >= @from_time
GROUP BY r.id
ORDER BY r.id
