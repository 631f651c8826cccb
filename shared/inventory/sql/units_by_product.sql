-- Net units of each product on each day since a first one, in some stores (null: in all); everything earlier counts as the day before.
-- @before DATE
-- @end_time TIMESTAMP
-- @stores ARRAY<STRING>
-- @everywhere BOOL
SELECT
  product_id,
  GREATEST(DATE(created_at), @before) AS day,
  SUM(quantity) AS units,
  MAX(created_at) AS latest
FROM {movements}
WHERE created_at < @end_time
  AND (@everywhere OR store_id IN UNNEST(@stores))
GROUP BY product_id, day
ORDER BY product_id, day
