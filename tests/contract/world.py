"""A real server with a database of its own, and people of each role: what the contract tests start from."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path

PASSWORD = "cheval-agrafe-pile-1825"
ROLES = ("lecteur", "gestionnaire", "ordonnateur", "comptable", "admin")


def email(role: str) -> str:
    return f"{role}@exemple.invalid"


class World:
    """The program on an empty database, `sqlite` or `postgres`, from entering to leaving the `with` block."""

    def __init__(self, program: Path, kind: str) -> None:
        self.program, self.kind = program.resolve(), kind

    def __enter__(self) -> World:
        self._folder = tempfile.TemporaryDirectory(prefix="ent-contract-")
        self.folder = Path(self._folder.name)
        if self.kind == "sqlite":
            database = f"sqlite://{self.folder}/test.sqlite"
        else:
            database = new_postgres_database()
        self.environment = {
            **os.environ,
            "DATABASE_URL": database,
            # The shipped texts open no campaign.
            "ENT_CONFIG": str(Path(__file__).resolve().parents[1] / "data" / "texts.toml"),
            "ENT__ACCESS__ACCESS_TOKEN_MINUTES": "240",
            # Whoever tries every route tries wrong passwords too.
            "ENT__ACCESS__FAILED_LOGIN_LIMIT": "100",
            "ENT__ACCESS__FAILED_LOGIN_SOURCE_LIMIT": "1000000",
            "ENT__ACCESS__FAILED_LOGIN_ACCOUNT_LIMIT": "1000000",
            "RUST_LOG": "warn",
        }
        self.run("migrate")
        for role in ROLES:
            self.add_user(email(role), role)
        # One that may be changed, disabled, locked out: nobody works under it.
        self.add_user("personne@exemple.invalid", "lecteur")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = (self.folder / "server.log").open("wb")
        self.server = subprocess.Popen(
            # Without workers: the seed's year is over, and the nightly job would expire its convention at some moment.
            [self.program, "serve", "--no-worker", "--listen", f"127.0.0.1:{port}"],
            cwd=self.folder, env=self.environment, stdout=self.log, stderr=subprocess.STDOUT,
        )
        self._wait()
        return self

    def __exit__(self, kind, *_) -> None:
        self.server.terminate()
        self.server.wait(30)
        self.log.close()
        if kind is not None:
            print((self.folder / "server.log").read_text()[-4000:], file=sys.stderr)
        self._folder.cleanup()

    def run(self, *arguments: str, stdin: str = "") -> None:
        done = subprocess.run(
            [self.program, *arguments], input=stdin, text=True, capture_output=True, cwd=self.folder, env=self.environment
        )
        assert done.returncode == 0, done.stderr

    def add_user(self, address: str, role: str) -> None:
        signs = ["--capacity", "Secrétaire générale de région académique",
                 "--delegation", "Arrêté R76-2025-03-14-00002, RAA du 14 mars 2025",
                 "--delegation-published-on", "2025-03-14"] if role == "ordonnateur" else []
        self.run("user", "add", "--email", address, "--role", role, "--first-name", "Camille", "--last-name", f"Le {role}",
                 *signs, "--password-stdin", stdin=f"{PASSWORD}\n")

    def _wait(self) -> None:
        for _ in range(200):
            assert self.server.poll() is None, (self.folder / "server.log").read_text()
            try:
                with urllib.request.urlopen(f"{self.url}/health/ready", timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the server does not answer: {(self.folder / 'server.log').read_text()}")


def new_postgres_database() -> str:
    server = os.environ["TEST_POSTGRES_URL"]
    name = f"contract_{uuid.uuid4().hex}"
    subprocess.run(["psql", "--quiet", server, "--command", f"CREATE DATABASE {name}"], check=True)
    return f"{server.rsplit('/', 1)[0]}/{name}"
