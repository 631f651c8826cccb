-- Sums by day, week and month of a time zone; weeks begin on Monday.
-- @from_time TIMESTAMP
-- @zone STRING
WITH days AS (
  SELECT DATE(at, @zone) AS day, amount FROM {readings} WHERE at >= @from_time
)
SELECT
  day,
  CAST(DATE_TRUNC(day, WEEK(MONDAY)) AS DATE) AS monday,
  CAST(DATE_TRUNC(day, MONTH) AS DATE) AS month,
  CAST(DATE_TRUNC(day, QUARTER) AS DATE) AS quarter,
  SUM(amount) AS total
FROM days
GROUP BY day, monday, month, quarter
ORDER BY day
