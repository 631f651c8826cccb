-- The time of the last counted line.
-- @from_time TIMESTAMP
-- @to_time TIMESTAMP
-- @store_ids ARRAY<STRING>
-- @any_store BOOL
SELECT MAX(created_at) AS latest
FROM {lines}
WHERE created_at >= @from_time AND created_at <= @to_time
  AND (@any_store OR store_id IN (SELECT wanted FROM UNNEST(@store_ids) AS wanted))
