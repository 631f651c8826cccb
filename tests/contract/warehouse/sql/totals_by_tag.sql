-- Units, value and share by tag within a time range; a tag list that is empty means all.
-- @from_time TIMESTAMP
-- @to_time TIMESTAMP
-- @tags ARRAY<STRING>
SELECT
  tag,
  COUNT(*) AS readings,
  COUNTIF(r.ok) AS good,
  COUNT(DISTINCT r.id) AS things,
  SUM(r.count) AS units,
  SUM(r.amount) AS value,
  CAST(SAFE_DIVIDE(SUM(r.amount), SUM(r.count)) AS FLOAT64) AS unit_value,
  ROUND(CAST(SAFE_DIVIDE(COUNTIF(r.ok), COUNT(*)) AS FLOAT64), 2) AS good_share
FROM {readings} AS r
CROSS JOIN UNNEST(r.tags) AS tag
WHERE r.at >= @from_time AND r.at < @to_time AND (ARRAY_LENGTH(@tags) = 0 OR tag IN UNNEST(@tags))
GROUP BY tag
ORDER BY value DESC, tag
