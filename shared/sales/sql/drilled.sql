-- Counted lines from a place on, oldest first, at most so many, each with the sums of all counted lines.
-- @from_time TIMESTAMP
-- @to_time TIMESTAMP
-- @currency STRING
-- @after_time TIMESTAMP
-- @after_id STRING
-- @most INT64
-- @store_ids ARRAY<STRING>
-- @product_ids ARRAY<STRING>
-- @category_ids ARRAY<STRING>
-- @any_store BOOL
-- @any_product BOOL
-- @any_category BOOL
-- @uncategorized BOOL
WITH counted AS (
  SELECT
    id,
    sale_id,
    kind,
    store_id,
    user_id,
    created_at,
    product_id,
    sku,
    product_name,
    category_id,
    category,
    quantity,
    unit_price,
    line_total
  FROM {lines}
  WHERE created_at >= @from_time AND created_at <= @to_time
    AND currency = @currency
    AND (@any_store OR store_id IN (SELECT wanted FROM UNNEST(@store_ids) AS wanted))
    AND (@any_product OR product_id IN (SELECT wanted FROM UNNEST(@product_ids) AS wanted))
    AND (@any_category OR category_id IN (SELECT wanted FROM UNNEST(@category_ids) AS wanted))
    AND (NOT @uncategorized OR category_id IS NULL)
),
summed AS (
  SELECT
    CAST(SUM(quantity) AS INT64) AS total_quantity,
    CAST(SUM(line_total) * 100 AS INT64) AS total_cents,
    COUNT(*) AS total_lines,
    COUNT(DISTINCT IF(kind = 'sale', sale_id, NULL)) AS total_sales
  FROM counted
)
SELECT
  counted.id,
  counted.sale_id,
  counted.kind,
  counted.store_id,
  counted.user_id,
  counted.created_at,
  counted.product_id,
  counted.sku,
  counted.product_name,
  counted.category_id,
  counted.category,
  counted.quantity,
  counted.unit_price,
  counted.line_total,
  summed.total_quantity,
  summed.total_cents,
  summed.total_lines,
  summed.total_sales
FROM counted
CROSS JOIN summed
WHERE counted.created_at > @after_time OR (counted.created_at = @after_time AND counted.id > @after_id)
ORDER BY counted.created_at, counted.id
LIMIT @most
