#!/bin/sh
# Installs what the tests use besides Python on Debian: a browser for /docs, wrk for
# `make bench`, PgBouncer for its drill, and for `make image-test` without a Docker engine what
# builds and runs an image, and the proxies that are put before it. Run it as root. Tests whose tool is missing are skipped, and say so.
set -eu

for wanted in chromium buildah podman runc debootstrap caddy nginx-light:nginx pgbouncer wrk; do
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
