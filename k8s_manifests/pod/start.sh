# shellcheck shell=sh disable=SC2154
# Starts nginx. A container that was stopped, because its liveness probe failed, starts again in its pod: with the ports that
# stop.sh has taken.
[ ! -f "$run/nginx.conf.served" ] || mv "$run/nginx.conf.served" "$run/nginx.conf"
# A killed nginx leaves its sockets in the pod's volume, and could not listen on them again; and counts. In its cache it leaves the
# files that it was writing, whose names end in a dot and ten digits, and never finds them again. On a read-only disk they remain,
# and do no harm.
rm -f "$run"/*.sock "$run"/*.count "$cache"/*/?/??/*.??????????
find_cache
run_nginx
