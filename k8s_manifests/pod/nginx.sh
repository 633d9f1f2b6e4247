# shellcheck shell=sh disable=SC2034
# How both containers of a pod run nginx. Arguments: the folders of the configuration, the njs modules, the running pod and
# the cache.
# The text of this file comes before that of check.sh or start.sh.
config=$1 scripts=$2 run=$3 cache=$4

# nginx caches below its prefix (-p), and does not start when it cannot create its folders there. A pod without a cache is
# better than none: with any other prefix than the cache's folder, the njs module cache_disk.js turns caching off.
#
# Nor does it start with a damaged state file of a dictionary (js_shared_dict_zone). Without these files it knows of images
# what a new pod knows.
find_cache() {
  if { [ -d "$cache/blobs" ] && [ -d "$cache/manifests" ] && [ -d "$cache/tags" ] && [ -d "$cache/images" ]; } ||
    { echo > "$cache/probe" && rm -f "$cache/probe"; }; then
    { (run_nginx -t -q) || rm -f "$cache"/image*.json; } && return
  fi
  cache=$run
  echo 'the cache cannot be written: this container serves without caching' >&2
}

# The njs module is at this path in the official image and in Debian's package alike. It is loaded here, so that the
# configuration is the same in both.
run_nginx() {
  exec nginx -p "$cache/" -e stderr -c "$run/nginx.conf" \
    -g 'load_module /usr/lib/nginx/modules/ngx_http_js_module.so; daemon off;' "$@"
}
