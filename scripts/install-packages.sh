#!/usr/bin/env bash
# Installs the Debian packages given as arguments that are missing; silent when none is.
# An argument `a|b` is satisfied by either; the first one is installed.
set -euo pipefail

installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
}

missing=()
for wanted in "$@"; do
    found=no
    IFS='|' read -ra choices <<<"$wanted"
    for choice in "${choices[@]}"; do
        if command -v dpkg-query >/dev/null && installed "$choice"; then
            found=yes
            break
        fi
    done
    [ "$found" = yes ] || missing+=("${choices[0]}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "This is not Debian: install the equivalent of ${missing[*]} yourself; going on." >&2
    exit 0
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Missing packages, and neither root nor sudo: as root, run apt-get install ${missing[*]}" >&2
        exit 77
    fi
    as_root=(sudo)
fi
echo "Installing ${missing[*]}" >&2
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
