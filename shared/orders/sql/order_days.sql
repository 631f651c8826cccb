-- Transfer orders counted by destination region, UTC day of making, status and currency.
-- @from_time TIMESTAMP
-- @to_time TIMESTAMP
-- @late_before TIMESTAMP
-- @regions ARRAY<STRING>
-- @categories ARRAY<STRING>
-- @any_region BOOL
-- @any_category BOOL
-- @newer ARRAY<STRING>
SELECT
  to_store_region AS region,
  DATE(created_at, 'UTC') AS day,
  status,
  currency,
  COUNT(*) AS orders,
  CAST(SUM(quantity) AS INT64) AS units,
  CAST(COALESCE(SUM(total_value), 0) * 100 AS INT64) AS cents,
  COUNTIF(status = 'pending_review' AND created_at < @late_before) AS late,
  CAST(COALESCE(SUM(TIMESTAMP_DIFF(fulfilled_at, created_at, MICROSECOND)), 0) AS INT64) AS waited,
  MAX(updated_at) AS latest
FROM {orders}
WHERE created_at >= @from_time AND created_at <= @to_time
  AND (@any_region OR to_store_region IN (SELECT wanted FROM UNNEST(@regions) AS wanted))
  AND (@any_category OR category IN (SELECT wanted FROM UNNEST(@categories) AS wanted))
  AND id NOT IN UNNEST(@newer)
GROUP BY region, day, status, currency
ORDER BY region, day, status, currency
