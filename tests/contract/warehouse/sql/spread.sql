-- Mean, median and 90th percentile of the counts, exactly.
-- @from_time TIMESTAMP
SELECT DISTINCT
  COUNT(count) OVER () AS known,
  ROUND(AVG(count) OVER (), 2) AS mean,
  PERCENTILE_CONT(count, 0.5) OVER () AS median,
  PERCENTILE_CONT(count, 0.9) OVER () AS p90
FROM {readings}
WHERE at >= @from_time
ORDER BY known
