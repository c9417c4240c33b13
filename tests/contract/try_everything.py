"""Every route of the OpenAPI document, tried by Schemathesis with what the document allows and forbids.

    try_everything.py PROGRAM DOCUMENT RUN…        RUN: database/role, role `nobody` for no token; e.g. sqlite/gestionnaire

The database holds the seed's year half way (an open campaign, a convention in effect, titles, a sealed batch), so that
calls get beyond 404. Seeds are fixed: a run repeats.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from ent_client.api.comptes import list_users

import drive_year
from drive_year import YEAR, logged_in
from world import World

HERE = Path(__file__).parent

CONFIG = """
seed = 20250605
hooks = {hooks}
continue-on-failure = true
request-timeout = 30.0
suppress-health-check = ["all"] # a busy machine is no fault of the routes
{auth}

[generation]
mode = "all"
max-examples = {examples}
database = "none"
no-shrink = true

[phases.examples]
enabled = true
[phases.coverage]
enabled = {boundaries}
[phases.fuzzing]
enabled = true
# Chains of calls (create, read, change…) are the business of the integration suite, which knows what they must give.
[phases.stateful]
enabled = false

[checks]
# The key of a SIRET, of a UAI, two dates in order: what a schema cannot say is refused with 422, a state with 409, a
# version with 412.
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "412", "422", "428", "429"]
# What the schema forbids is refused; with the role's own refusal first, and a key that leads nowhere may hide the rest.
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "428", "429"]
# 428 is the answer to a missing If-Match (RFC 6585).
missing_required_header.expected-statuses = ["400", "401", "403", "404", "422", "428"]

# Keys that exist, most of the time.
[dictionaries]
{dictionaries}

[parameters]
"path.school_year" = {{ dictionary = "years", probability = 0.9 }}
"path.siret" = {{ dictionary = "sirets", probability = 0.9 }}
"path.uai" = {{ dictionary = "uais", probability = 0.9 }}
"path.number" = {{ dictionary = "batches", probability = 0.9 }}
"query.campaign" = {{ dictionary = "years", probability = 0.5 }}

# A cursor is opaque: one that no list gave is 400, and no pattern tells them apart.
[[operations]]
include-method = "GET"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "404", "409", "422"]
[[operations]]
include-path-regex = "/conventions/.id."
parameters = {{ "path.id" = {{ dictionary = "conventions", probability = 0.9 }} }}
[[operations]]
include-path-regex = "/perception-titles/.id."
parameters = {{ "path.id" = {{ dictionary = "titles", probability = 0.9 }} }}
[[operations]]
include-path-regex = "/small-claim-decisions/.id."
parameters = {{ "path.id" = {{ dictionary = "decisions", probability = 0.9 }} }}
[[operations]]
include-path-regex = "/users/.id."
parameters = {{ "path.id" = {{ dictionary = "users", probability = 0.9 }} }}
"""


def prepare(world: World) -> dict[str, list[str]]:
    """The seed's year up to a sealed batch; gives its keys."""
    gestionnaire, ordonnateur = logged_in(world, "gestionnaire"), logged_in(world, "ordonnateur")
    drive_year.register_the_commune(gestionnaire)
    drive_year.open_the_campaign(gestionnaire)
    convention = drive_year.issue_and_sign(gestionnaire)
    batch = drive_year.prepare_approve_seal(gestionnaire, ordonnateur)
    titles = drive_year.list_titles.sync(client=gestionnaire)
    decision = drive_year.leave_untitled(gestionnaire, ordonnateur)
    users = list_users.sync(client=logged_in(world, "admin"))
    somebody = [str(user.id) for user in users.data if user.email == "personne@exemple.invalid"]
    return {
        "years": [YEAR], "sirets": [drive_year.SIRET], "uais": ["0301023Z", "0301015R"], "batches": [batch.number],
        "conventions": [str(convention.id)], "titles": [str(title.id) for title in titles.data], "users": somebody,
        "decisions": [str(decision)],
    }


# Who may act meets every boundary of every value; who may only read, or nothing, is refused before they are looked at,
# and gets random cases alone.
ACTING = ("gestionnaire", "ordonnateur", "admin")


def run(world: World, document: Path, role: str, token: str | None, keys: dict[str, list[str]], examples: int) -> bool:
    dictionaries = "\n".join(f"{name} = {{ values = {json.dumps(values)} }}" for name, values in keys.items())
    auth = f'auth.openapi.bearer = {{ bearer = "{token}" }}' if token else "auth.auto-signup = false"
    config = world.folder / f"{role}.toml"
    config.write_text(CONFIG.format(hooks=json.dumps(str(HERE / "hooks.py")), auth=auth, dictionaries=dictionaries,
                                    examples=examples, boundaries=json.dumps(role in ACTING)))
    command = [
        Path(sys.executable).with_name("schemathesis"), "--config-file", config, "run", document, "--url", world.url,
        "--no-color", "--warnings", "off",
    ]
    started = time.monotonic()
    done = subprocess.run(command, cwd=world.folder, capture_output=True, text=True)
    seconds = time.monotonic() - started
    if done.returncode != 0:
        print(done.stdout, done.stderr[-2000:])
    counted = [line.strip() for line in done.stdout.splitlines() if "generated" in line or "passed" in line]
    print(f"try_everything: {world.kind}/{role}: {'ok' if done.returncode == 0 else 'FAILED'}, {seconds:.0f} s; "
          f"{' '.join(counted[-1:])}", flush=True)
    return done.returncode == 0


def main() -> None:
    program, document, runs = Path(sys.argv[1]), Path(sys.argv[2]).resolve(), sys.argv[3:]
    examples = int(os.environ.get("EXAMPLES", "8"))
    good = True
    for kind, of_kind in itertools.groupby(runs, key=lambda name: name.split("/")[0]):
        with World(program, kind) as world:
            keys = prepare(world)
            roles = [name.split("/")[1] for name in of_kind]
            # Before anything is tried: a change of account counts from the next log-in only.
            tokens = {role: logged_in(world, role).token for role in roles if role != "nobody"}
            for role in roles:
                good &= run(world, document, role, tokens.get(role), keys, examples)
            assert world.server.poll() is None, "the server has stopped"
            causes = [line for line in (world.folder / "server.log").read_text().splitlines() if "ERROR" in line]
            if causes:
                print("\n".join(["Causes in the server's log:", *causes[:40]]))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
