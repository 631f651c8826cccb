-- The time of the last counted line.
-- @from_time TIMESTAMP
-- @to_time TIMESTAMP
-- @store_ids ARRAY<STRING>
-- @product_ids ARRAY<STRING>
-- @category_ids ARRAY<STRING>
-- @any_store BOOL
-- @any_product BOOL
-- @any_category BOOL
SELECT MAX(created_at) AS latest
FROM {lines}
WHERE created_at >= @from_time AND created_at <= @to_time
  AND (@any_store OR store_id IN UNNEST(@store_ids))
  AND (@any_product OR product_id IN UNNEST(@product_ids))
  AND (@any_category OR category_id IN UNNEST(@category_ids))
