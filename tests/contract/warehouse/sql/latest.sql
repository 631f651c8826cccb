-- The newest reading of each of the given ids, with the time since the one before it.
-- @from_time TIMESTAMP
-- @ids ARRAY<STRING>
SELECT
  id,
  at,
  note,
  LAG(at) OVER (PARTITION BY id ORDER BY at) AS previous_at,
  TIMESTAMP_DIFF(at, LAG(at) OVER (PARTITION BY id ORDER BY at), HOUR) AS hours
FROM {readings}
WHERE at >= @from_time AND id IN UNNEST(@ids)
QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY at DESC) = 1
ORDER BY id
