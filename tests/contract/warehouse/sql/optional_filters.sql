-- Readings by filters that null switches off.
-- @from_time TIMESTAMP
-- @to_time TIMESTAMP
-- @search STRING
-- @least INT64
-- @amount NUMERIC
-- @day DATE
-- @ok BOOL
-- @ratio FLOAT64
SELECT id
FROM {readings}
WHERE at >= @from_time
  AND (@to_time IS NULL OR at < @to_time)
  AND (@search IS NULL OR STRPOS(LOWER(note), LOWER(@search)) > 0)
  AND (@least IS NULL OR count >= @least)
  AND (@amount IS NULL OR amount = @amount)
  AND (@day IS NULL OR day = @day)
  AND (@ok IS NULL OR ok = @ok)
  AND (@ratio IS NULL OR ratio <= @ratio)
ORDER BY id
