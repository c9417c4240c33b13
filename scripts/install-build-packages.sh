#!/usr/bin/env bash
# Installs what building needs on Debian or Ubuntu: a C compiler, libpq, make. Says nothing and asks for no right when
# everything is there. Rust itself (1.95 or later) is left to you.
set -euo pipefail
exec "$(dirname "$0")/install-packages.sh" gcc libc6-dev libpq-dev make pkg-config ca-certificates
