#!/usr/bin/env bash
# The Debian packages that some tests use; what cannot be installed is said, and its tests are skipped.
set -euo pipefail

warn() { printf '\n*** %s ***\n\n' "$*" >&2; }

# What a test needs that is no Python package: where it stands, its Debian package, what is lost.
install() {
  local found=$1 package=$2 loss=$3
  if compgen -G "$found" >/dev/null; then return; fi
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    warn "$package is missing and cannot be installed here: $loss"
    return
  fi
  if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "$package"; } </dev/null; then
    warn "installing $package failed: $loss"
  fi
}

# The tests start servers of their own: Debian's package need not start one.
install_postgresql() {
  local found='/usr/lib/postgresql/*/bin/initdb' loss='what replicas share will not be tested'
  local settings=/etc/postgresql-common/createcluster.conf
  if compgen -G "$found" >/dev/null; then return; fi
  install "$settings" postgresql-common 'PostgreSQL may start a server of its own'
  if [ -w "$settings" ]; then echo 'create_main_cluster = false' >>"$settings"; fi
  install "$found" postgresql "$loss"
}

install '/usr/bin/promtool' prometheus 'the checks by promtool will not run'
install '/usr/bin/amtool' prometheus-alertmanager 'the route of an alert to a pager will not be tried'
install '/usr/bin/strace' strace 'no failing disk will be tried'
install '/usr/sbin/nginx' nginx 'nothing will be tried behind a proxy'
for package in mmdebstrap podman crun; do
  install "/usr/bin/$package" "$package" 'no image will be made by make image-test'
done
install '/usr/bin/java' default-jdk-headless 'no Java client will be tried'
for program in curl wget; do
  found=$(command -v "$program" || echo "/usr/bin/$program")
  install "$found" "$program" "$program will not be tried as a client"
done
for program in chromium nodejs npm; do
  found=$(command -v "${program/nodejs/node}" || echo "/usr/bin/${program/nodejs/node}")
  install "$found" "$program" 'no page will be opened in a browser'
done
install_postgresql
