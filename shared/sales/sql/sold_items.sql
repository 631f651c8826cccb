-- Counted lines one by one, oldest first, at most so many.
-- @from_time TIMESTAMP
-- @to_time TIMESTAMP
-- @currency STRING
-- @most INT64
-- @store_ids ARRAY<STRING>
-- @product_ids ARRAY<STRING>
-- @category_ids ARRAY<STRING>
-- @any_store BOOL
-- @any_product BOOL
-- @any_category BOOL
SELECT
  id,
  sale_id,
  user_id,
  created_at,
  product_id,
  product_name,
  category_id,
  category,
  unit_price,
  quantity,
  line_total
FROM {lines}
WHERE created_at >= @from_time AND created_at <= @to_time
  AND currency = @currency
  AND (@any_store OR store_id IN (SELECT wanted FROM UNNEST(@store_ids) AS wanted))
  AND (@any_product OR product_id IN (SELECT wanted FROM UNNEST(@product_ids) AS wanted))
  AND (@any_category OR category_id IN (SELECT wanted FROM UNNEST(@category_ids) AS wanted))
ORDER BY created_at, id
LIMIT @most
