#!/usr/bin/env bash
# The API held to its OpenAPI document: the document is sound, a client generated from it lives a year, and every route
# tried with what the document allows and forbids answers as it says, for each role. Needs TEST_POSTGRES_URL, that is
# scripts/with-postgres.sh; `make contract` gives both. CONTRACT="lint year routes" chooses.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$(realpath "${CARGO_TARGET_DIR:-target}")
tools=$target/contract
program=$target/debug/ent-backoffice
: "${TEST_POSTGRES_URL:?run it by « make contract », which starts a PostgreSQL}"

# Nothing is told to anybody, nothing is looked up.
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true SCHEMATHESIS_REPORT=false
export PYTHONDONTWRITEBYTECODE=1

tests/contract/install.sh "$tools"
python="$tools/venv/bin/python"
"$program" openapi >"$tools/openapi.json"

has() { [[ " ${CONTRACT:-lint year routes} " == *" $1 "* ]]; }

if has lint; then
    PATH="$tools/venv/bin:$PATH" "$tools/node/node_modules/.bin/redocly" lint \
        --config tests/contract/redocly.yaml --format stylish "$tools/openapi.json"
fi

rm -rf "$tools/ent_client"
"$tools/venv/bin/openapi-python-client" generate --path "$tools/openapi.json" --config tests/contract/client.yaml \
    --output-path "$tools/ent_client" --meta none --fail-on-warning
export PYTHONPATH="$tools:tests/contract"

if has year; then
    "$python" tests/contract/drive_year.py "$program" sqlite postgres
fi
if has routes; then
    # Both databases at the same time, each with a server of its own.
    "$python" tests/contract/try_everything.py "$program" "$tools/openapi.json" \
        postgres/nobody postgres/gestionnaire postgres/ordonnateur postgres/admin >"$tools/postgres.log" 2>&1 &
    postgres=$!
    status=0
    "$python" tests/contract/try_everything.py "$program" "$tools/openapi.json" \
        sqlite/nobody sqlite/lecteur sqlite/gestionnaire sqlite/ordonnateur sqlite/comptable sqlite/admin || status=$?
    wait "$postgres" || status=$?
    cat "$tools/postgres.log"
    exit "$status"
fi
