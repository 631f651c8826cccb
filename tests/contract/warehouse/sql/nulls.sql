-- Where nulls stand when sorted, both ways.
-- @from_time TIMESTAMP
SELECT
  id,
  ROW_NUMBER() OVER (ORDER BY count, id) AS up,
  ROW_NUMBER() OVER (ORDER BY count DESC, id) AS down
FROM {readings}
WHERE at >= @from_time
ORDER BY count, id
