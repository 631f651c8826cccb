SELECT source, MAX(finished_at) AS last_refresh_time
FROM `${dataset}.refresh_runs`
WHERE created_at >= TIMESTAMP '2000-01-01 00:00:00+00' AND status = 'succeeded'
GROUP BY source
