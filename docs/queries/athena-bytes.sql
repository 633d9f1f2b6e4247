-- Bytes to clients, and from ECR and S3, by repository. What was fetched for one repository serves others: add up before you subtract.
-- fetched_bytes are in the row of the name in ECR. Where clients write another one (strip, prefix, renames), `frontdoor usage` translates it.
SELECT
  CASE WHEN server = 'front' THEN repository ELSE REGEXP_EXTRACT(path, '/v2/(.+)/(blobs|manifests|tags|referrers)/', 1) END AS repository,
  SUM(CASE WHEN server = 'front' THEN bytes ELSE 0 END) AS sent_bytes,
  SUM(CASE WHEN server <> 'front' THEN bytes ELSE 0 END) AS fetched_bytes
FROM frontdoor_access_log
WHERE day >= '2026/11/01' AND "schema" = 1 AND bytes > 0
  AND (
    (server = 'front' AND repository <> '' AND status IN (200, 206))
    OR (server IN ('layers', 'ecr') AND path LIKE '/%/v2/_%' AND status IN (200, 206) AND cache <> 'HIT')
  )
GROUP BY 1
ORDER BY sent_bytes DESC
