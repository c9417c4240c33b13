#!/usr/bin/env bash
# Installs what the tests need besides building: a PostgreSQL server (never started as a service), pdftotext to read
# documents back, and cargo-nextest. Silent when everything is there.
set -euo pipefail
here=$(dirname "$0")
"$here/install-build-packages.sh"

server="postgresql"
if compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; then
    server=""
elif command -v apt-get >/dev/null; then
    # The distribution would start a cluster of its own at installation: it is not needed.
    if [ "$(id -u)" -eq 0 ] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        mkdir -p /etc/postgresql-common
        echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    fi
fi
pdf="poppler-utils"
command -v pdftotext >/dev/null && pdf=""
# shellcheck disable=SC2086 # empty words must vanish
"$here/install-packages.sh" $server $pdf

if ! command -v cargo-nextest >/dev/null && [ ! -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo-nextest" ]; then
    echo "Building cargo-nextest (a few minutes, once)" >&2
    cargo install --locked --quiet cargo-nextest
fi
