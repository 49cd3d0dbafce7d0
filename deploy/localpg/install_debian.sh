#!/bin/sh
# Installs the Postgres programs on Debian and its kin, as root, without making or starting a system cluster.
set -eu
export DEBIAN_FRONTEND=noninteractive
conf=/etc/postgresql-common/createcluster.d/aftercare-install.conf
trap 'rm -f "$conf"; rmdir --ignore-fail-on-non-empty "${conf%/*}" || true' EXIT
mkdir -p "${conf%/*}"
echo 'create_main_cluster = false' >"$conf"
apt-get update
apt-get install --yes --no-install-recommends postgresql </dev/null
