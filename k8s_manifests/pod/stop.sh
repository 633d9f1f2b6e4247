# shellcheck shell=sh
# Stops nginx without interrupting a pull, whatever stop signal the image names. Argument: the seconds until no load
# balancer sends new clients here.
#
# Kubernetes signals the container only after this hook. SIGTERM would make nginx drop what it serves. SIGQUIT would close
# the sockets between nginx's own servers, over which a running pull fetches its next slice. So nginx is reloaded: the old
# workers finish their pulls, for as long as worker_shutdown_timeout allows, while new ones answer on these sockets. When the
# old workers have ended, nginx, which is process 1, gets the signal to quit, and the container ends with it.
# https://nginx.org/en/docs/control.html
sleep "$1"
kill -HUP 1
sleep 2
# The brackets keep grep from finding its own command line.
while grep -qs 'is shutting dow[n]' /proc/[0-9]*/cmdline; do sleep 1; done
kill -QUIT 1
while kill -0 1; do sleep 1; done
