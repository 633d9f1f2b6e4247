"""`frontdoor check`: whether a deployment would succeed, before it is tried."""
