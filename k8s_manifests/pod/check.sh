# shellcheck shell=sh disable=SC2154
# The init container: copies the configuration and the njs modules once, and tests them. The ConfigMaps change in place; a
# container that restarts, or is reloaded, still has those that its pod was rolled out with.
rm -f "$run/nginx.conf.served"
cp "$config/nginx.conf" "$scripts"/*.js "$run/" && find_cache && run_nginx -t
