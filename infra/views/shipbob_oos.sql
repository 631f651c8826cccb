SELECT
  order_id, order_number, order_type, purchase_date, customer_name, customer_email, shipment_id, sku, name, facility, channel, reason,
  ordered_quantity, committed_quantity, short_quantity, unit_price, currency, first_seen_at, last_seen_at, opened_at
FROM `${dataset}.oos_shipbob`
WHERE opened_at >= TIMESTAMP '2000-01-01 00:00:00+00' AND resolved_at IS NULL
