-- Every day of a range with its count, empty days included.
-- @from_time TIMESTAMP
-- @first DATE
-- @last DATE
SELECT d AS day, COUNT(r.id) AS readings
FROM UNNEST(GENERATE_DATE_ARRAY(@first, @last)) AS d
LEFT JOIN (SELECT id, DATE(at) AS day FROM {readings} WHERE at >= @from_time) AS r ON r.day = d
GROUP BY d
ORDER BY d
