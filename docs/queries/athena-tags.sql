-- Pulls and checks by tag (empty: by digest), and the client that used it last. A GET by digest takes the tag of the HEAD before it.
WITH manifests AS (
  SELECT
    repository, tag, digest, client, user_agent, ended_at,
    CASE WHEN method = 'GET' AND status = 200 THEN 'GET' ELSE 'HEAD' END AS method,
    media_type IN (
      'application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json'
    ) AS is_index
  FROM frontdoor_access_log
  WHERE day >= '2026/11/01' AND server = 'front' AND "schema" = 1 AND (tag <> '' OR digest <> '' AND media_type <> '')
    AND status IN (200, 304)
),
neighbours AS (
  SELECT
    *,
    LAG(method) OVER same AS method_before,
    LAG(tag) OVER same AS tag_before,
    ended_at - LAG(ended_at) OVER same AS seconds_after,
    LEAD(method) OVER same AS method_after,
    LEAD(ended_at) OVER same - ended_at AS seconds_before,
    ended_at - MAX(CASE WHEN is_index AND method = 'GET' THEN ended_at END) OVER (
      PARTITION BY client, user_agent, repository ORDER BY ended_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS seconds_after_index
  FROM manifests
  WINDOW same AS (PARTITION BY client, user_agent, repository, digest ORDER BY ended_at)
),
chains AS (
  SELECT
    *,
    method_before = 'HEAD' AND seconds_after <= 60 AS follows_head,
    method_after = 'GET' AND seconds_before <= 60 AS begins_pull,
    tag = '' AND NOT is_index AND seconds_after_index <= 10 AS follows_index
  FROM neighbours
),
uses AS (
  SELECT
    repository, client, ended_at, method,
    CASE WHEN method = 'GET' AND tag = '' AND follows_head THEN tag_before ELSE tag END AS tag
  FROM chains
  WHERE (method = 'GET' AND (COALESCE(follows_head, FALSE) OR NOT COALESCE(follows_index, FALSE)))
    OR (method = 'HEAD' AND NOT COALESCE(begins_pull, FALSE))
)
SELECT
  repository,
  tag,
  SUM(CASE WHEN method = 'GET' THEN 1 ELSE 0 END) AS pulls,
  SUM(CASE WHEN method = 'HEAD' THEN 1 ELSE 0 END) AS checks,
  COUNT(DISTINCT client) AS clients,
  FROM_UNIXTIME(MAX(ended_at)) AS last_used_at,
  MAX_BY(client, ended_at) AS last_client
FROM uses
GROUP BY repository, tag
ORDER BY MAX(ended_at) DESC
