# shellcheck shell=sh disable=SC2154
# The init container: copies the configuration and the njs modules once, and tests them. A container that restarts, and a
# reload, keep what the pod was rolled out with: the ConfigMaps change in place.
cp "$config/nginx.conf" "$scripts"/*.js "$run/" && find_cache && run_nginx -t
