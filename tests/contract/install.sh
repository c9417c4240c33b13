#!/usr/bin/env bash
# Puts the pinned tools of the contract tests (requirements.txt, package-lock.json) into the folder given, and nothing
# anywhere else. Silent and immediate when the same pins are there already. Needs python3 with venv, and the package
# indexes at the first run; Node comes as a Python package, since Debian 12's is too old for the linter.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1

pins=$(cat "$here/requirements.txt" "$here/package-lock.json" "$here/.npmrc" "$here/install.sh" | sha256sum)
[ "$(cat "$folder/installed" 2>/dev/null)" != "$pins" ] || exit 0

echo "Installing the tools of the contract tests in $folder" >&2
rm -rf "$folder/installed" "$folder/venv" "$folder/node"
mkdir -p "$folder/node"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-input --only-binary :all: --require-hashes \
    -r "$here/requirements.txt"
cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$folder/node/"
(cd "$folder/node" && PATH="$folder/venv/bin:$PATH" npm ci --ignore-scripts --silent)
printf '%s\n' "$pins" >"$folder/installed"
