# shellcheck shell=sh disable=SC2086,SC2143
# Stops nginx without interrupting a pull, whatever stop signal the image names. Argument: the seconds until no load
# balancer sends new clients here.
#
# Kubernetes signals the container only after this hook. SIGTERM would make nginx drop what it serves. SIGQUIT would close
# the sockets between nginx's own servers, over which a running pull fetches its next slice. So nginx is reloaded: the old
# workers finish their pulls, for as long as worker_shutdown_timeout allows, while new ones answer on these sockets. When the
# old workers have ended, and a reload finds no pull that clients began meanwhile, nginx, which is process 1, gets the signal to
# quit, and the container ends with it.
# https://nginx.org/en/docs/control.html

# Whether there was a pull to finish. An idle client alone keeps a worker for two seconds (keepalive_min_timeout).
finish_pulls() {
  old=$(grep -ls '^nginx: worker' /proc/[0-9]*/cmdline)
  kill -HUP 1
  # Without a free processor nginx takes seconds.
  tries=60
  while [ -n "$(grep -Ls 'is shutting down' $old < /dev/null)" ] && [ $((tries -= 1)) -gt 0 ]; do sleep 1; done
  seconds=0
  while grep -qs 'is shutting down' $old < /dev/null; do
    seconds=$((seconds + 1))
    sleep 1
  done
  [ $seconds -gt 3 ]
}

sleep "$1"
while finish_pulls; do :; done
kill -QUIT 1
while kill -0 1; do sleep 1; done
