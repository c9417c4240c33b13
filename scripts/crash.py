#!/usr/bin/env python3
"""Kills the program in the middle of its acts in number, and proves that nothing is left half done.

    make crash ROUNDS=50                     both databases, every act
    scripts/with-postgres.sh scripts/crash.py --rounds 5 --databases postgres --acts seal

The world is Occitanie 2025-2026 as the tests know it (2 386 payers, 4 104 schools), made once through the program's own
commands and API, then kept as one template per act. Each round: a copy of the template, a real server, one request with
an Idempotency-Key, `kill -9` at a chosen moment, a new server on the same database. Then every invariant is read from
the tables (gap-free references, all or nothing, sums, digests, journal…), the same request is sent again with the same
key, must answer that everything is done, and everything is read once more.

Moments are drawn over the act's duration (measured, and again at each repetition), one in each of ROUNDS equal slices (shuffled), from a printed seed.
Just before each kill a witness asks the database whether a writing transaction is open (SQLite: is the write lock held;
PostgreSQL: pg_stat_activity), so the table says how many kills really fell inside one.

On PostgreSQL the acts are also interrupted by killing the server's own process (`--backend-kills`): there the program
stays, must answer with a named problem, and must find its way back to the database by itself.

Exit code 1 when anything is wrong; the copy that shows it is kept and named. Python 3.11 or later, its standard
library, `psql`; root only if the PostgreSQL server runs under another account.
"""

import argparse
import concurrent.futures
import csv
import hashlib
import http.client
import io
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data" / "occitanie"
YEAR = "2025-2026"
PASSWORD = "cheval-agrafe-pile-1825"
# What Occitanie makes due, held by the tests too.
PAYERS, SCHOOLS, TOTAL_CENTS = 2386, 4104, 16_416_000


class Wrong(Exception):
    """An invariant that does not hold."""


def free_port():
    # Below the kernel's ephemeral range, so that no client can sit on it.
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


# ---------------------------------------------------------------- databases


class Sqlite:
    name = "sqlite"

    def __init__(self, folder):
        self.folder = folder

    def url(self, base):
        return f"sqlite://{self.folder / base}.sqlite"

    def path(self, base):
        return self.folder / f"{base}.sqlite"

    def create(self, base):
        self.drop(base)

    def drop(self, base):
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path(base)}{suffix}").unlink(missing_ok=True)

    def copy(self, template, base):
        self.drop(base)
        shutil.copyfile(self.path(template), self.path(base))

    def settle(self, base):
        """Folds the log of a closed database into its file."""
        with sqlite3.connect(self.path(base)) as conn:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        conn.close()

    def rows(self, base, sql):
        conn = sqlite3.connect(self.path(base), timeout=30)
        try:
            return [list(row) for row in conn.execute(sql)]
        finally:
            conn.close()

    def blobs(self, base):
        yield from self.rows(base, "SELECT sha256, length, bytes FROM blobs")

    def witness(self, base):
        """A function that says whether a writing transaction is open right now."""
        conn = sqlite3.connect(self.path(base), timeout=0, isolation_level=None)

        def look():
            try:
                conn.execute("BEGIN IMMEDIATE")
                conn.execute("ROLLBACK")
                return False
            except sqlite3.OperationalError:
                return True

        return look, conn.close

    def quiet(self, base):
        """Nothing survives the process."""

    def sound(self, base):
        found = self.rows(base, "PRAGMA integrity_check")
        broken = self.rows(base, "PRAGMA foreign_key_check")
        if found != [["ok"]] or broken:
            raise Wrong(f"the file is damaged: {found[:3]} {broken[:3]}")


def psql_program():
    """The client itself: Debian's `psql` is a wrapper that costs more than the question."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/psql"), key=lambda path: int(path.parent.parent.name))
    return str(found[-1]) if found else "psql"


PSQL = psql_program()


class Psql:
    """One psql kept open: an answer in a fraction of a millisecond rather than a process per question."""

    END = "\x1dend\x1d"

    def __init__(self, url):
        self.process = subprocess.Popen(
            [PSQL, "-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-v", "ON_ERROR_STOP=1", url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)

    def ask(self, sql):
        self.process.stdin.write(f"{sql};\n\\echo {self.END}\n")
        self.process.stdin.flush()
        text = ""
        while not text.endswith(f"{self.END}\n"):
            line = self.process.stdout.readline()
            if not line:
                raise Wrong(f"{sql}: {self.process.stderr.read()}")
            text += line
        body = text[: -len(self.END) - 1].rstrip("\n").removesuffix("\x1e")
        return [row.split("\x1f") for row in body.split("\x1e")] if body else []

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Postgres:
    name = "postgres"

    def __init__(self, server):
        self.server = server
        self.readers = {}
        # The server of the tests forgets the last commits when it is killed itself: here it may not.
        self.admin("ALTER ROLE CURRENT_USER SET synchronous_commit = on")

    def url(self, base):
        return self.server.rsplit("/", 1)[0] + "/" + base

    def admin(self, sql):
        for _ in range(100):
            run = subprocess.run([PSQL, "-X", "-q", "-A", "-t", "-c", sql, self.server], capture_output=True, text=True)
            if run.returncode == 0:
                return run.stdout.strip()
            time.sleep(0.1)
        raise Wrong(run.stderr)

    def create(self, base):
        self.drop(base)
        self.admin(f"CREATE DATABASE {base}")

    def leave(self, base):
        """Closes our own look at a database."""
        reader = self.readers.pop(base, None)
        if reader is not None:
            reader.close()

    def drop(self, base):
        self.leave(base)
        self.admin(f"DROP DATABASE IF EXISTS {base} WITH (FORCE)")

    def copy(self, template, base):
        self.drop(base)
        self.admin(f"CREATE DATABASE {base} TEMPLATE {template} STRATEGY FILE_COPY")

    def settle(self, base):
        self.quiet(base)

    def rows(self, base, sql):
        for _ in range(100):
            if base not in self.readers:
                self.readers[base] = Psql(self.url(base))
            try:
                return self.readers[base].ask(sql)
            except (Wrong, BrokenPipeError) as wrong:
                # A server just killed takes a moment to be itself again; anything else is a fault of the question.
                self.readers.pop(base)
                if isinstance(wrong, Wrong) and not any(word in str(wrong) for word in ("connection", "starting up")):
                    raise
                time.sleep(0.1)
        raise Wrong("the server does not come back")

    def blobs(self, base):
        for sha256, length, text in self.rows(base, "SELECT sha256, length, encode(bytes, 'hex') FROM blobs"):
            yield sha256, int(length), bytes.fromhex(text)

    def witness(self, base):
        psql = Psql(self.server)
        sql = (f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{base}' AND xact_start IS NOT NULL "
               "AND backend_xid IS NOT NULL")
        psql.ask(sql)
        return (lambda: psql.ask(sql) != [["0"]]), psql.close

    def backend(self, base):
        """The process that serves the program's open transaction, if any."""
        found = self.admin(f"SELECT pid FROM pg_stat_activity WHERE datname = '{base}' "
                           "ORDER BY xact_start IS NULL, backend_xid IS NULL, xact_start LIMIT 1")
        return int(found) if found else None

    def quiet(self, base):
        """A server process outlives its client until it notices: what it does must be over before we look."""
        self.leave(base)
        for _ in range(600):
            if self.admin(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{base}'") == "0":
                return
            time.sleep(0.05)
        raise Wrong("sessions of the killed program are still there after 30 seconds")

    def sound(self, base):
        """PostgreSQL recovers or refuses to start."""


# ---------------------------------------------------------------- the program


PROGRAMS = []


class Program:
    """The real program, on a database."""

    def __init__(self, binary, folder, url, port):
        self.binary, self.folder, self.port = binary, folder, port
        self.environment = {
            **os.environ, "DATABASE_URL": url, "RUST_LOG": "warn",
            "ENT__ACCESS__SIGNING_KEY_FILES": str(folder / "signing.key"),
            # The shipped texts open no campaign.
            "ENT_CONFIG": str(Path(__file__).resolve().parents[1] / "tests" / "data" / "texts.toml"),
            "ENT__ACCESS__ACCESS_TOKEN_MINUTES": "1440", "ENT__SERVER__REQUEST_TIMEOUT_SECONDS": "600",
            "ENT__DATABASE__POSTGRES_CONNECTIONS": "4",
        }
        self.process = None
        PROGRAMS.append(self)

    def command(self, *arguments, text=None):
        run = subprocess.run([self.binary, *arguments], env=self.environment, cwd=self.folder, input=text,
                             capture_output=True, text=True)
        if run.returncode != 0:
            raise Wrong(f"{arguments}: {run.stderr}")
        return run.stdout

    def start(self):
        self.log = open(self.folder / "program.log", "ab")
        self.process = subprocess.Popen(
            [self.binary, "serve", "--no-worker", "--migrate", "--listen", f"127.0.0.1:{self.port}"],
            env=self.environment, cwd=self.folder, stdout=self.log, stderr=self.log)
        for _ in range(1200):
            if self.process.poll() is not None:
                raise Wrong("the program stopped at start: " + (self.folder / "program.log").read_text()[-2000:])
            try:
                if self.call("GET", "/health/live", token=None, root=True)[0] == 200:
                    return self
            except OSError:
                time.sleep(0.025)
        raise Wrong("the program does not answer")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.log.close()
        if code != 0:
            raise Wrong(f"a graceful stop exits with {code}")

    def call(self, method, path, body=None, token=None, key=None, root=False, conn=None):
        headers = {}
        if token:
            headers["authorization"] = f"Bearer {token}"
        if key:
            headers["idempotency-key"] = key
        if body is not None:
            headers["content-type"] = "application/json"
            body = json.dumps(body).encode()
        own = conn or http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            own.request(method, path if root else f"/api/v1{path}", body, headers)
            answer = own.getresponse()
            return answer.status, answer.read()
        finally:
            if conn is None:
                own.close()

    def done(self, *arguments, **options):
        status, body = self.call(*arguments, **options)
        if status not in (200, 201):
            raise Wrong(f"{arguments}: {status} {body[:500]!r}")
        return json.loads(body)


# ---------------------------------------------------------------- the world


def log_in(program, role):
    body = {"email": f"{role}@exemple.invalid", "password": PASSWORD}
    return program.done("POST", "/auth/login", body)["access_token"]


def sign_all(program, token, conventions):
    """Signs and countersigns every convention, one call each, as people do."""
    def some(ids):
        conn = http.client.HTTPConnection("127.0.0.1", program.port, timeout=600)
        for convention in ids:
            for action, name, title in (("sign", "Camille MAIRE", "Maire"), ("countersign", "Claude FICTIF", "Rectrice")):
                body = {"action": action, "signed_on": "2025-07-25", "signatory": {"name": name, "title": title}}
                program.done("POST", f"/conventions/{convention}/transitions", body, token=token, conn=conn)
        conn.close()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(some, [conventions[n::4] for n in range(4)]))


def make_world(database, binary, folder):
    """One template per act, each the world just before it; returns the tokens."""
    started = time.monotonic()
    database.create("world")
    program = Program(binary, folder, database.url("world"), free_port())
    program.command("migrate")
    for role, more in (("gestionnaire", []), ("ordonnateur", [
            "--capacity", "Secrétaire générale de région académique", "--delegation", "arrêté R76-2025-03-14-00002",
            "--delegation-published-on", "2025-03-14"])):
        program.command("user", "add", "--email", f"{role}@exemple.invalid", "--role", role, "--first-name", "Camille",
                        "--last-name", role, *more, "--password-stdin", text=PASSWORD + "\n")
    program.command("import", "collectivites", str(DATA / "communes_occitanie_2026.csv"))
    program.command("import", "schools", str(DATA / "annuaire_education_occitanie_2024-11-26.csv"))
    program.start()
    tokens = {role: log_in(program, role) for role in ("gestionnaire", "ordonnateur")}
    campaign = {"school_year": YEAR, "tariff": {"unit": "school", "unit_amount": "40.00"}, "convention_date": "2025-06-05",
                "ends_on": "2026-09-05", "small_claims": {"threshold": "50.00", "policy": "issue"}}
    clerk = tokens["gestionnaire"]
    program.done("POST", "/campaigns", campaign, token=clerk)
    program.done("POST", f"/campaigns/{YEAR}/enrolments", {"filter": {"sector": "public"}}, token=clerk)
    program.done("POST", f"/campaigns/{YEAR}/transitions", {"action": "open"}, token=clerk)

    def keep(template):
        program.stop()
        database.settle("world")
        database.copy("world", template)
        program.start()

    keep("before_issue")
    issued = program.done("POST", f"/campaigns/{YEAR}/conventions", {}, token=clerk)
    sign_all(program, clerk, [item["id"] for item in issued["items"] if item["outcome"] == "issued"])
    program.done("POST", f"/campaigns/{YEAR}/perception-titles", {}, token=clerk)
    keep("before_approve")
    program.done("POST", "/perception-titles/approvals", {"filter": {"campaign": YEAR}}, token=tokens["ordonnateur"])
    program.stop()
    database.settle("world")
    database.copy("world", "before_seal")
    database.drop("world")
    print(f"{database.name}: world made in {time.monotonic() - started:.0f} s "
          f"({PAYERS} payers, {SCHOOLS} schools, {TOTAL_CENTS / 100:.2f} €)", flush=True)
    return tokens


# ---------------------------------------------------------------- acts


class Act:
    def __init__(self, name, role, path, body, table, journal, expected):
        self.name, self.role, self.path, self.body = name, role, path, body
        self.table, self.journal, self.expected = table, journal, expected

    def rows(self, database, base):
        return int(database.rows(base, f"SELECT count(*) FROM {self.table}")[0][0])

    def complete(self, status, body):
        """The answer says that all of it is done, by this request."""
        answer = json.loads(body)
        if self.name == "seal":
            found = (status, answer.get("count"), answer.get("total"))
            wanted = (201, PAYERS, "164160.00")
        else:
            found = (status, answer.get("issued", answer.get("approved")), answer.get("total"))
            wanted = (200, PAYERS, "164160.00")
        if found != wanted:
            raise Wrong(f"the repeated request answers {found}, not {wanted}: {body[:400]!r}")


ACTS = {
    "issue": Act("issue", "gestionnaire", f"/campaigns/{YEAR}/conventions", {}, "conventions", "convention.issued", PAYERS),
    "approve": Act("approve", "ordonnateur", "/perception-titles/approvals", {"filter": {"campaign": YEAR}},
                   "title_approvals", "title.approved", PAYERS),
    "seal": Act("seal", "ordonnateur", "/accounting-batches", {"campaign": YEAR}, "accounting_batches", "batch.sealed", 1),
}

# Each must find nothing. One text for both databases.
NONE_MAY_EXIST = {
    "convention whose total is not the sum of its lines":
        "SELECT c.number FROM conventions c JOIN participations p ON p.convention_id = c.id LEFT JOIN "
        "(SELECT participation_id, sum(amount_cents) s, count(*) n FROM participation_lines GROUP BY participation_id) l "
        "ON l.participation_id = p.id WHERE l.s IS NULL OR l.s <> p.total_cents OR p.total_cents <> c.total_cents OR l.n <> c.school_count",
    "convention without participation":
        "SELECT c.number FROM conventions c WHERE NOT EXISTS (SELECT 1 FROM participations p WHERE p.convention_id = c.id)",
    "participation line that is not quantity × unit amount":
        "SELECT uai FROM participation_lines WHERE amount_cents <> quantity * unit_amount_cents",
    "enrolment pinned to a convention that does not list its school":
        "SELECT e.uai FROM enrolments e WHERE e.convention_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM participations p "
        "JOIN participation_lines l ON l.participation_id = p.id WHERE p.convention_id = e.convention_id AND l.uai = e.uai)",
    "school of a convention whose enrolment is not pinned to it":
        "SELECT l.uai FROM participations p JOIN participation_lines l ON l.participation_id = p.id WHERE NOT EXISTS "
        "(SELECT 1 FROM enrolments e WHERE e.convention_id = p.convention_id AND e.uai = l.uai)",
    "convention without the job of its document":
        "SELECT c.number FROM conventions c LEFT JOIN papers p ON p.subject_id = c.id AND p.kind = 'convention' WHERE p.status IS NULL "
        "OR p.status = 'pending' AND NOT EXISTS "
        "(SELECT 1 FROM jobs j WHERE j.dedup_key = 'papers.render:convention:' || c.id || ':1')",
    "title whose amount is not the sum of its lines":
        "SELECT t.id FROM perception_titles t LEFT JOIN (SELECT title_id, sum(amount_cents) s FROM title_lines GROUP BY "
        "title_id) l ON l.title_id = t.id WHERE l.s IS NULL OR l.s <> t.amount_cents",
    "title approved without approval, or the reverse":
        "SELECT t.id FROM perception_titles t LEFT JOIN title_approvals a ON a.title_id = t.id "
        "WHERE (t.state IN ('approved', 'transmitted')) <> (a.title_id IS NOT NULL) "
        "OR (a.reference IS NOT NULL AND a.reference <> t.reference)",
    "title approved by who prepared it":
        "SELECT t.id FROM perception_titles t JOIN title_approvals a ON a.title_id = t.id WHERE t.prepared_by = a.approved_by",
    "title transmitted without batch, or the reverse":
        "SELECT t.id FROM perception_titles t LEFT JOIN accounting_batch_titles m ON m.title_id = t.id "
        "WHERE (t.state = 'transmitted') <> (m.title_id IS NOT NULL) OR (m.batch_id IS NOT NULL AND m.batch_id <> t.batch_id)",
    "batch whose members are not its count and total":
        "SELECT b.number FROM accounting_batches b LEFT JOIN (SELECT m.batch_id, count(*) n, sum(t.amount_cents) s "
        "FROM accounting_batch_titles m JOIN perception_titles t ON t.id = m.title_id GROUP BY m.batch_id) x "
        "ON x.batch_id = b.id WHERE x.n IS NULL OR x.n <> b.title_count OR x.s <> b.total_cents",
    "batch without its two files":
        "SELECT b.number FROM accounting_batches b WHERE (SELECT count(*) FROM accounting_batch_files f "
        "WHERE f.batch_id = b.id) <> 2",
    "batch without progress":
        "SELECT b.number FROM accounting_batches b WHERE NOT EXISTS "
        "(SELECT 1 FROM accounting_batch_progress p WHERE p.batch_id = b.id)",
    "idempotency key without its answer":
        "SELECT key FROM idempotency_keys WHERE status IS NULL",
}

# Numbered things: table, column that groups, name of the counter, printed form of the last number.
NUMBERED = [
    ("conventions", None, "convention:{}", "number", "ENT-C-{}-{:05d}"),
    ("title_approvals", "exercice", "title:{}", "reference", "ENT-T-{}-{:06d}"),
    ("accounting_batches", "exercice", "batch:{}", "number", "ENT-B-{}-{:04d}"),
]


def check(database, base, act, key):
    """Every invariant; returns whether the act is there."""
    database.sound(base)
    for what, sql in NONE_MAY_EXIST.items():
        found = database.rows(base, sql)
        if found:
            raise Wrong(f"{len(found)} × {what}, for instance {found[0]}")
    counters = {name: int(value) for name, value in database.rows(base, "SELECT name, value FROM counters")}
    for table, group, counter, column, form in NUMBERED:
        groups = database.rows(base, f"SELECT {group or 'NULL'}, count(*), min(number_rank), max(number_rank), "
                                     f"count(DISTINCT number_rank), count(DISTINCT {column}) "
                                     f"FROM {table}" + (f" GROUP BY {group}" if group else " HAVING count(*) > 0"))
        seen = set()
        for which, count, least, most, ranks, texts in groups:
            which = which if group else YEAR
            count, least, most, ranks, texts = map(int, (count, least, most, ranks, texts))
            if not (least == 1 and most == count == ranks == texts):
                raise Wrong(f"{table} {which}: {count} rows numbered {least} to {most}, {ranks} different")
            if counters.get(counter.format(which)) != most:
                raise Wrong(f"{table} {which}: counter {counters.get(counter.format(which))}, last number {most}")
            where = f"{group} = {which} AND " if group else ""
            last = database.rows(base, f"SELECT {column} FROM {table} WHERE {where} number_rank = {most}")
            if last != [[form.format(which, most)]]:
                raise Wrong(f"{table}: number {most} is written {last}")
            seen.add(counter.format(which))
        for name, value in counters.items():
            if name.startswith(counter.split("{")[0]) and name not in seen and value != 0:
                raise Wrong(f"counter {name} is at {value} and nothing bears its numbers")
    # The journal speaks of an act if, and only if, it happened.
    for one in ACTS.values():
        there = one.rows(database, base)
        told = int(database.rows(base, f"SELECT count(*) FROM audit_events WHERE action = '{one.journal}'")[0][0])
        if there not in (0, one.expected):
            raise Wrong(f"half an act: {there} of {one.expected} in {one.table}")
        if told != there:
            raise Wrong(f"{told} journal entries {one.journal} for {there} in {one.table}")
    committed = act.rows(database, base) == act.expected
    kept = int(database.rows(base, f"SELECT count(*) FROM idempotency_keys WHERE key = '{key}'")[0][0])
    if kept != int(committed):
        raise Wrong(f"act there: {committed}; answers kept under its key: {kept}")
    if committed and act.name == "issue":
        sums = database.rows(base, "SELECT sum(total_cents), sum(school_count) FROM conventions")
        if [int(cell) for cell in sums[0]] != [TOTAL_CENTS, SCHOOLS]:
            raise Wrong(f"conventions add up to {sums}")
    check_digests(database, base)
    return committed


def check_digests(database, base):
    stored = {}
    for sha256, length, content in database.blobs(base):
        if hashlib.sha256(content).hexdigest() != sha256 or len(content) != int(length):
            raise Wrong(f"blob {sha256} is not what its digest says")
        stored[sha256] = content
    for content, digest in database.rows(base, "SELECT content, content_sha256 FROM title_approvals"):
        if hashlib.sha256(content.encode()).hexdigest() != digest:
            raise Wrong(f"approval {digest} is not what its digest says")
    files = database.rows(base, "SELECT b.number, b.title_count, b.total_cents, f.format, f.sha256 "
                                "FROM accounting_batches b JOIN accounting_batch_files f ON f.batch_id = b.id")
    for number, count, total, form, sha256 in files:
        if sha256 not in stored:
            raise Wrong(f"file {form} of {number} is missing")
        text = stored[sha256].decode("utf-8-sig")
        if form == "csv":
            table = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
            found = len(table) - 1
        else:
            whole = json.loads(text)
            found = len(whole["titles"])
            cents = sum(round(float(title["amount"]) * 100) for title in whole["titles"])
            if cents != int(total):
                raise Wrong(f"file {form} of {number} adds up to {cents} cents")
        if found != int(count):
            raise Wrong(f"file {form} of {number} holds {found} titles, not {count}")


# ---------------------------------------------------------------- rounds


class Sent(threading.Thread):
    """The request under way."""

    def __init__(self, program, act, token, key):
        super().__init__(daemon=True)
        self.program, self.act, self.token, self.key = program, act, token, key
        self.answer = None
        self.began = threading.Event()

    def run(self):
        self.began.set()
        try:
            self.answer = self.program.call("POST", self.act.path, self.act.body, token=self.token, key=self.key)
        except (OSError, http.client.HTTPException):
            pass


def open_round(database, binary, folder, act, base):
    database.copy(f"before_{act.name}", base)
    return Program(binary, folder, database.url(base), free_port()).start()


def measure(database, binary, folder, act, token):
    """How long the act takes when nobody interrupts it."""
    times = []
    for n in range(3):
        program = open_round(database, binary, folder, act, "measure")
        started = time.monotonic()
        program_answer = program.call("POST", act.path, act.body, token=token, key=f"measure-{n}")
        times.append(time.monotonic() - started)
        act.complete(*program_answer)
        program.stop()
        database.quiet("measure")
        if not check(database, "measure", act, f"measure-{n}"):
            raise Wrong("an act nobody interrupted is not there")
    database.drop("measure")
    return statistics.median(times)


def replay(program, act, token, key):
    """The same request again, twice: done, and the same bytes."""
    first = program.call("POST", act.path, act.body, token=token, key=key)
    act.complete(*first)
    if program.call("POST", act.path, act.body, token=token, key=key) != first:
        raise Wrong("the same key gives another answer")
    return first


def one_round(database, binary, folder, act, token, delay, base, key):
    """Kills the program `delay` seconds after the request left; says where that fell."""
    program = open_round(database, binary, folder, act, base)
    inside, close = database.witness(base)
    sent = Sent(program, act, token, key)
    sent.start()
    sent.began.wait()
    time.sleep(delay)
    was_inside = inside()
    program.kill()
    close()
    sent.join(timeout=60)
    database.quiet(base)
    program.port = free_port()
    program.start()
    committed = check(database, base, act, key)
    if sent.answer is not None:
        act.complete(*sent.answer)
        if not committed:
            raise Wrong("an act that was answered is not there")
    began = time.monotonic()
    again = replay(program, act, token, key)
    took = (time.monotonic() - began) if not committed else None
    if sent.answer is not None and again != sent.answer:
        raise Wrong("the answer repeated is not the answer given")
    if not check(database, base, act, key):
        raise Wrong("the repeated act is not there")
    program.stop()
    database.quiet(base)
    database.drop(base)
    moment = "idle" if sent.answer is not None else "after" if committed else "before"
    return moment, was_inside, took


def one_backend_kill(database, binary, folder, act, token, delay, base, key):
    """Kills the database's process instead: the program stays, says so, and finds its way back."""
    program = open_round(database, binary, folder, act, base)
    inside, close = database.witness(base)
    sent = Sent(program, act, token, key)
    sent.start()
    sent.began.wait()
    time.sleep(delay)
    was_inside = inside()
    pid = database.backend(base)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    try:
        close()
    except OSError:
        pass
    sent.join(timeout=60)
    database.leave(base)
    database.admin("SELECT 1")
    committed = check(database, base, act, key)
    if sent.answer is None:
        raise Wrong("the program did not answer when its database was killed")
    status, body = sent.answer
    if status in (200, 201):
        act.complete(status, body)
        if not committed:
            raise Wrong("an act that was answered is not there")
    elif status not in (500, 503) or "code" not in json.loads(body):
        raise Wrong(f"the program answers {status} {body[:300]!r}")
    # Killed while the program was idle, the loss is found out by the first read, which says 503.
    if status in (200, 201):
        program.call("GET", "/health/ready", root=True)
    # Each connection of the pool was lost: none of the others may cost a request.
    for _ in range(8):
        ready = program.call("GET", "/health/ready", root=True)
        if ready[0] != 200:
            raise Wrong(f"the program does not find its database again: {ready}")
        read = program.call("GET", f"/campaigns/{YEAR}", token=token)
        if read[0] != 200:
            raise Wrong(f"a read after the database came back: {read}")
    replay(program, act, token, key)
    if not check(database, base, act, key):
        raise Wrong("the repeated act is not there")
    program.stop()
    database.quiet(base)
    database.drop(base)
    return ("idle" if status in (200, 201) else "after" if committed else "before"), was_inside, None


def series(database, binary, folder, act, token, rounds, draw, duration, play, label):
    """A number of rounds; returns a line of the table."""
    slices = list(range(rounds))
    draw.shuffle(slices)
    counts = {"before": 0, "after": 0, "idle": 0}
    held, faults = 0, []
    started = time.monotonic()
    # A machine that does something else beside is slower than when it was measured: each whole run tells anew.
    seen = [duration]
    for n, piece in enumerate(slices):
        duration = statistics.median(seen[-9:])
        delay = duration * 1.15 * (piece + draw.random()) / rounds
        base, key = f"round_{''.join(c if c.isalnum() else '_' for c in label)}_{n}", f"crash-{act.name}-{n}"
        try:
            moment, was_inside, took = play(database, binary, folder, act, token, delay, base, key)
            if took is not None:
                seen.append(took)
            counts[moment] += 1
            held += was_inside
        except Wrong as wrong:
            faults.append(wrong)
            print(f"  WRONG {database.name} {label} round {n}, killed after {delay * 1000:.0f} ms ({base} is kept): {wrong}",
                  flush=True)
        if (n + 1) % 10 == 0 and n + 1 < rounds:
            print(f"  {database.name} {label}: {n + 1} kills, {held} inside a transaction", flush=True)
    seconds = time.monotonic() - started
    line = (database.name, label, f"{duration * 1000:.0f}", rounds, held, counts["before"], counts["after"],
            counts["idle"], len(faults), f"{seconds:.0f}")
    print("  " + " ".join(str(cell) for cell in line), flush=True)
    return line


HEAD = ("database", "act", "takes ms", "kills", "in transaction", "undone", "done unanswered", "answered", "wrong", "seconds")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50, help="kills for each act on each database")
    parser.add_argument("--backend-kills", type=int, default=5, help="kills of PostgreSQL's own process for each act")
    parser.add_argument("--databases", default="sqlite,postgres")
    parser.add_argument("--acts", default=",".join(ACTS))
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--binary", default=str(ROOT / "target" / "debug" / "ent-backoffice"))
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"seed {seed}, {options.rounds} kills for each act on each database", flush=True)
    started = time.monotonic()
    lines = []
    folder = Path(tempfile.mkdtemp(prefix="ent-crash."))
    (folder / "signing.key").write_text("a signing key for crashes, of more than 32 bytes\n")
    (folder / "signing.key").chmod(0o600)
    for name in options.databases.split(","):
        if name == "sqlite":
            database = Sqlite(folder)
        else:
            server = os.environ.get("TEST_POSTGRES_URL")
            if server is None:
                sys.exit("no PostgreSQL: run this by scripts/with-postgres.sh, as « make crash » does")
            urlsplit(server)
            database = Postgres(server)
        tokens = make_world(database, options.binary, folder)
        for act in (ACTS[name] for name in options.acts.split(",")):
            # Each series draws for itself: leaving one out changes nothing in the others.
            draw = random.Random(f"{seed} {database.name} {act.name}")
            token = tokens[act.role]
            duration = measure(database, options.binary, folder, act, token)
            lines.append(series(database, options.binary, folder, act, token, options.rounds, draw, duration, one_round,
                                act.name))
            if database.name == "postgres" and options.backend_kills:
                lines.append(series(database, options.binary, folder, act, token, options.backend_kills, draw, duration,
                                    one_backend_kill, f"{act.name} (server)"))
    widths = [max(len(str(row[n])) for row in [HEAD, *lines]) for n in range(len(HEAD))]
    print()
    for row in [HEAD, *lines]:
        print("  ".join(str(cell).ljust(width) if n < 2 else str(cell).rjust(width)
                        for n, (cell, width) in enumerate(zip(row, widths))))
    wrong = sum(line[8] for line in lines)
    kills = sum(line[3] for line in lines)
    print(f"\n{kills} kills, {sum(line[4] for line in lines)} of them inside a transaction, {wrong} wrong, "
          f"{time.monotonic() - started:.0f} s, seed {seed}")
    if wrong:
        print(f"kept for a look: {folder}")
        sys.exit(1)
    shutil.rmtree(folder)


def stopped(*_):
    """Told to stop: no program is left behind."""
    for program in PROGRAMS:
        if program.process is not None and program.process.poll() is None:
            program.process.kill()
    os._exit(143)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stopped)
    signal.signal(signal.SIGINT, stopped)
    main()
