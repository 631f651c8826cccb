-- Arithmetic with times.
-- @at TIMESTAMP
SELECT
  TIMESTAMP_TRUNC(@at, DAY) AS midnight,
  TIMESTAMP_TRUNC(@at, HOUR) AS full_hour,
  TIMESTAMP_ADD(@at, INTERVAL 36 HOUR) AS later,
  TIMESTAMP_SUB(@at, INTERVAL 15 MINUTE) AS sooner,
  DATE(@at) AS day,
  DATE_ADD(DATE(@at), INTERVAL 1 MONTH) AS next_month,
  EXTRACT(HOUR FROM @at AT TIME ZONE 'UTC') AS hour,
  EXTRACT(YEAR FROM DATE(@at)) AS year,
  DATE_DIFF(DATE '2026-03-01', DATE(@at), DAY) AS days,
  TIMESTAMP_DIFF(TIMESTAMP '2026-01-15 12:00:00+00', @at, HOUR) AS whole_hours,
  TIMESTAMP_DIFF(@at, TIMESTAMP '2026-01-15 12:00:00+00', HOUR) AS hours_before,
  FORMAT_DATE('%Y-%m', DATE(@at)) AS label
