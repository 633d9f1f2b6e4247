# shellcheck shell=sh disable=SC2154
# The init container: copies the configuration once and tests it. A container that restarts keeps the configuration that
# its pod was rolled out with.
cp "$config/nginx.conf" "$run/nginx.conf" && find_cache && run_nginx -t
