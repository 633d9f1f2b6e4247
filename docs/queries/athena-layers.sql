-- Clients that got layers of a repository and none of its manifests. They know digests, or their pull began before these days or by another address.
SELECT
  repository,
  client,
  COUNT(DISTINCT digest) AS layers,
  SUM(bytes) AS sent_bytes,
  FROM_UNIXTIME(MAX(ended_at)) AS last_used_at,
  MAX_BY(user_agent, ended_at) AS last_user_agent
FROM frontdoor_access_log
WHERE day >= '2026/11/01' AND server = 'front' AND "schema" = 1 AND repository <> ''
  AND (
    (status IN (200, 206, 304, 307) AND (tag <> '' OR digest <> '' AND media_type <> ''))
    OR (status IN (200, 206, 307) AND method = 'GET' AND digest <> '')
  )
GROUP BY repository, client
HAVING SUM(CASE WHEN tag <> '' OR media_type <> '' THEN 1 ELSE 0 END) = 0
ORDER BY MAX(ended_at) DESC
