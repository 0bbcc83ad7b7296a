#!/bin/sh
# Installs what `make image-test` needs on Debian or Ubuntu without a Docker engine. Run it as root.
set -eu

for tool in buildah podman runc debootstrap; do
  command -v "$tool" >/dev/null || missing="${missing:-} $tool"
done
[ -n "${missing:-}" ] || { echo "nothing is missing"; exit 0; }
command -v apt-get >/dev/null || { echo "no apt-get here; install$missing yourself" >&2; exit 1; }
apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
echo "installed:$missing"
