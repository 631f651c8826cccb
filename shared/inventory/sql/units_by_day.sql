-- Net units, and units sold or removed, on each day since a first one, of some levels; everything earlier counts as the day before.
-- @before DATE
-- @end_time TIMESTAMP
-- @stores ARRAY<STRING>
-- @products ARRAY<STRING>
-- @everywhere BOOL
-- @everything BOOL
SELECT
  GREATEST(DATE(created_at), @before) AS day,
  SUM(quantity) AS units,
  SUM(CASE WHEN transaction_type IN ('sale', 'removal') THEN -quantity ELSE 0 END) AS taken,
  MAX(created_at) AS latest
FROM {movements}
WHERE created_at < @end_time
  AND (@everywhere OR store_id IN UNNEST(@stores))
  AND (@everything OR product_id IN UNNEST(@products))
GROUP BY day
ORDER BY day
