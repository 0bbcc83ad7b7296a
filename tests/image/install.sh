#!/bin/sh
# Installs what `make image-test` needs on Debian or Ubuntu without a Docker engine, and the proxies
# that it puts before the image. Run it as root.
set -eu

for wanted in buildah podman runc debootstrap caddy nginx-light:nginx pgbouncer; do
  command -v "${wanted#*:}" >/dev/null || missing="${missing:-} ${wanted%:*}"
done
[ -n "${missing:-}" ] || { echo "nothing is missing"; exit 0; }
command -v apt-get >/dev/null || { echo "no apt-get here; install$missing yourself" >&2; exit 1; }
apt-get update -qq
# RUNLEVEL=1: no service is started.
# shellcheck disable=SC2086
RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends $missing >/dev/null
echo "installed:$missing"
