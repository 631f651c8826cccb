-- Units and revenue of each product by period of a time zone and currency; weeks begin on Monday.
-- @from_time TIMESTAMP
-- @to_time TIMESTAMP
-- @zone STRING
-- @bucket STRING
-- @store_ids ARRAY<STRING>
-- @product_ids ARRAY<STRING>
-- @category_ids ARRAY<STRING>
-- @any_store BOOL
-- @any_product BOOL
-- @any_category BOOL
WITH counted AS (
  SELECT
    CASE @bucket
      WHEN 'none' THEN DATE '1970-01-01'
      WHEN 'daily' THEN DATE(created_at, @zone)
      WHEN 'weekly' THEN CAST(DATE_TRUNC(DATE(created_at, @zone), WEEK(MONDAY)) AS DATE)
      WHEN 'monthly' THEN CAST(DATE_TRUNC(DATE(created_at, @zone), MONTH) AS DATE)
      ELSE CAST(DATE_TRUNC(DATE(created_at, @zone), YEAR) AS DATE)
    END AS first_day,
    currency,
    product_id,
    product_name,
    category_id,
    category,
    quantity,
    line_total,
    number
  FROM {lines}
  WHERE created_at >= @from_time AND created_at <= @to_time
    AND (@any_store OR store_id IN (SELECT wanted FROM UNNEST(@store_ids) AS wanted))
    AND (@any_product OR product_id IN (SELECT wanted FROM UNNEST(@product_ids) AS wanted))
    AND (@any_category OR category_id IN (SELECT wanted FROM UNNEST(@category_ids) AS wanted))
)
SELECT
  first_day,
  currency,
  product_id,
  product_name,
  category_id,
  category,
  CAST(SUM(quantity) AS INT64) AS quantity,
  CAST(SUM(line_total) * 100 AS INT64) AS cents,
  COUNT(*) AS lines,
  COUNTIF(number = 1) AS firsts
FROM counted
GROUP BY first_day, currency, product_id, product_name, category_id, category
ORDER BY first_day, product_id, product_name, category_id, category, currency
