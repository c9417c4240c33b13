#!/bin/bash
# Run once by the image of PostgreSQL, when its volume is new: the owner of the tables, and the program, which owns none.
set -euo pipefail

owner_password=$(cat /run/secrets/postgres_owner_password)
program_password=$(cat /run/secrets/postgres_password)

psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set owner_password="$owner_password" --set program_password="$program_password" <<'SQL'
CREATE ROLE ent_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE ent LOGIN PASSWORD :'program_password';
ALTER DATABASE ent OWNER TO ent_owner;
SQL
