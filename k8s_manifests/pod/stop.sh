# shellcheck shell=sh disable=SC2086,SC2143
# Stops nginx without interrupting a pull, whatever stop signal the image names. Arguments: the seconds until no load
# balancer sends new clients here, and the folder of the running pod.
#
# Kubernetes signals the container only after this hook. SIGTERM would make nginx drop what it serves. SIGQUIT would close
# the sockets between nginx's own servers, over which a running pull fetches its next slice. So nginx is reloaded: the old
# workers finish their pulls, for as long as worker_shutdown_timeout allows, while new ones answer on these sockets, and
# clients that come late. When the old workers have ended, these finish their pulls in the same way, and then no client can come:
# one without a pull, whose connection sends nothing or a slow header, cannot keep the pod by another connection. At last nginx,
# which is process 1, gets the signal to quit, and the container ends with it.
# https://nginx.org/en/docs/control.html
conf=$2/nginx.conf

finish_pulls() {
  old=$(grep -ls '^nginx: worker' /proc/[0-9]*/cmdline)
  kill -HUP 1
  # Without a free processor nginx takes seconds.
  tries=60
  while [ -n "$(grep -Ls 'is shutting down' $old < /dev/null)" ] && [ $((tries -= 1)) -gt 0 ]; do sleep 1; done
  while grep -qs 'is shutting down' $old < /dev/null; do sleep 1; done
}

sleep "$1"
finish_pulls
# Sockets instead of the ports of clients: a server without a `listen` has a port. start.sh undoes it.
[ -f "$conf.served" ] || sed -i.served -E "s,listen (\[::]:)?(8080|8082|8443) .*,listen unix:$2/\2.sock;," "$conf"
finish_pulls
kill -QUIT 1
while kill -0 1; do sleep 1; done
