-- Exact arithmetic stays exact when it is cast to NUMERIC.
-- @price NUMERIC
-- @units INT64
SELECT
  @price * @units AS total,
  CAST('0.123456789' AS NUMERIC) AS nine,
  ROUND(CAST('2.345' AS NUMERIC), 2) AS up,
  ROUND(CAST('-2.345' AS NUMERIC), 2) AS down,
  CAST(SAFE_DIVIDE(@units, 0) AS FLOAT64) AS nothing,
  MOD(@units, 2) AS rest,
  SAFE_CAST('many' AS INT64) AS unreadable
