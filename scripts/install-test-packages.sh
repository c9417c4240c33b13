#!/usr/bin/env bash
# Installs what the tests need besides building: the programs of a PostgreSQL server (the tests start their own; the
# service Debian sets up beside is not used), pdftotext to read documents back, Python with venv (whose packages
# tests/contract/install.sh puts in the build folder), and cargo-nextest. Silent when everything is there.
set -euo pipefail
here=$(dirname "$0")
"$here/install-build-packages.sh"

server="postgresql"
if compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; then
    server=""
fi
pdf="poppler-utils"
command -v pdftotext >/dev/null && pdf=""
python="python3 python3-venv"
python3 -c 'import ensurepip, venv' 2>/dev/null && python=""
# shellcheck disable=SC2086 # empty words must vanish
"$here/install-packages.sh" $server $pdf $python

if ! command -v cargo-nextest >/dev/null && [ ! -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo-nextest" ]; then
    echo "Building cargo-nextest (a few minutes, once)" >&2
    cargo install --locked --quiet cargo-nextest
fi
