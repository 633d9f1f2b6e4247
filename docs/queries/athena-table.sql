-- The access log, as plain lines (also gzip) in S3, one prefix a day: s3://BUCKET/PREFIX/2026/11/27/...
CREATE EXTERNAL TABLE frontdoor_access_log (
  `schema` int,
  `time` string,
  ended_at double,
  server string,
  id string,
  client string,
  method string,
  path string,
  status int,
  bytes bigint,
  seconds double,
  content_length string,
  repository string,
  tag string,
  digest string,
  media_type string,
  cache string,
  upstream string,
  upstream_status string,
  upstream_seconds string,
  user_agent string
)
PARTITIONED BY (day string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
LOCATION 's3://BUCKET/PREFIX/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy/MM/dd',
  'projection.day.range' = '2026/01/01,NOW',
  'storage.location.template' = 's3://BUCKET/PREFIX/${day}/'
)
