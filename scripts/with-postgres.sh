#!/usr/bin/env bash
# Runs a command beside a PostgreSQL server of its own, then removes every trace of it.
#
#   scripts/with-postgres.sh cargo nextest run
#
# The server comes from the distribution's binaries, lives in a temporary folder, listens on a free
# port of 127.0.0.1 (and on a socket in that folder), and never runs as root. The command receives
# TEST_POSTGRES_URL; its exit code is ours. Durability is off: this server is for tests only.
#
# PG_BINDIR overrides where initdb and pg_ctl are looked for.
set -euo pipefail

say() { printf 'with-postgres: %s\n' "$*" >&2; }

if [ $# -eq 0 ]; then
    say "usage: $0 COMMAND [ARGUMENT…]"
    exit 64
fi

find_bindir() {
    local candidate
    if [ -n "${PG_BINDIR:-}" ]; then
        printf '%s\n' "$PG_BINDIR"
        return
    fi
    # Newest version first; Debian keeps the server's programs out of PATH.
    while IFS= read -r candidate; do
        if [ -x "$candidate/initdb" ] && [ -x "$candidate/pg_ctl" ]; then
            printf '%s\n' "$candidate"
            return
        fi
    done < <(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV)
    if candidate=$(command -v initdb); then
        dirname "$(readlink -f "$candidate")"
        return
    fi
    return 1
}

if ! bindir=$(find_bindir); then
    say "no PostgreSQL server found; run scripts/install-test-packages.sh first"
    exit 69
fi

# PostgreSQL refuses to run as root: hand it to an unprivileged account.
as_owner=()
owner=""
if [ "$(id -u)" -eq 0 ]; then
    for candidate in postgres nobody; do
        if id "$candidate" >/dev/null 2>&1; then
            owner=$candidate
            break
        fi
    done
    if [ -z "$owner" ]; then
        say "running as root, and neither the account postgres nor nobody exists"
        exit 69
    fi
    as_owner=(setpriv "--reuid=$(id -u "$owner")" "--regid=$(id -g "$owner")" --clear-groups --)
fi

# A short path: the name of a socket holds about 100 characters.
folder=$(mktemp -d /tmp/ent-pg.XXXXXX)
command_pid=""

# shellcheck disable=SC2317,SC2329 # called by the traps below
cleanup() {
    trap '' INT TERM HUP
    if [ -f "$folder/data/postmaster.pid" ]; then
        (cd / && "${as_owner[@]}" "$bindir/pg_ctl" -D "$folder/data" -m immediate -w -t 20 stop) >/dev/null 2>&1 || true
    fi
    rm -rf -- "$folder"
}
# shellcheck disable=SC2317,SC2329 # called by the traps below
interrupted() {
    if [ -n "$command_pid" ]; then
        kill -TERM "$command_pid" 2>/dev/null || true
        wait "$command_pid" 2>/dev/null || true
    fi
    exit "$1"
}
trap cleanup EXIT
trap 'interrupted 130' INT
trap 'interrupted 143' TERM
trap 'interrupted 129' HUP

mkdir "$folder/socket"
if [ -n "$owner" ]; then
    chown -R "$owner" "$folder"
fi

if ! (cd / && "${as_owner[@]}" "$bindir/initdb" -D "$folder/data" -U postgres --auth=trust \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync) >"$folder/initdb.log" 2>&1; then
    cat "$folder/initdb.log" >&2
    say "initdb failed"
    exit 70
fi

free_port() {
    # Below the kernel's ephemeral range, so that no client of the tests can sit on it.
    local port
    for _ in $(seq 50); do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            printf '%s\n' "$port"
            return
        fi
    done
    return 1
}

# Two runs may choose the same port at the same time: the loser chooses again.
started=no
for _ in 1 2 3 4 5; do
    port=$(free_port)
    options="-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$folder/socket"
    options="$options -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    options="$options -c max_connections=200 -c shared_buffers=128MB -c timezone=UTC"
    if (cd / && "${as_owner[@]}" "$bindir/pg_ctl" -D "$folder/data" -l "$folder/data/server.log" \
            -o "$options" -w -t 60 start) >/dev/null 2>&1; then
        started=yes
        break
    fi
done
if [ "$started" = no ]; then
    cat "$folder/data/server.log" >&2 || true
    say "the server did not start"
    exit 70
fi

export TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$port/postgres"
export TEST_POSTGRES_SOCKET="$folder/socket"
say "$("$bindir/postgres" --version) on port $port"

# In the background, so that a signal reaches our traps at once and not when the command ends;
# standard input is kept (bash would otherwise give /dev/null to a background command).
status=0
"$@" <&0 &
command_pid=$!
wait "$command_pid" || status=$?
command_pid=""
exit "$status"
