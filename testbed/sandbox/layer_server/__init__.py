"""A fast source of generated layers in the place of S3, for measurements of the proxy: a Go program and its client.

The double's S3 is one Python process, about 200 MB/s; this is several times as fast. ECR stays the double.
"""
