#!/usr/bin/env python3
"""Checks licences, banned crates and sources of every dependency against deny.toml.

The same rules as `cargo deny check licenses bans sources`, without the ten minutes it takes to build
cargo-deny on a small machine. Advisories are not looked at: their database lives on a git host.
Exit code 1 names each offence.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"
ROOT = Path(__file__).resolve().parent.parent


def satisfied(expression: str, allowed: set[str]) -> bool:
    """Evaluates an SPDX expression; the old `A/B` spelling means OR."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def either() -> bool:
        value = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            value = both() or value
        return value

    def both() -> bool:
        value = term()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            value = term() and value
        return value

    def term() -> bool:
        token = tokens.pop(0)
        if token == "(":
            value = either()
            if tokens.pop(0) != ")":
                raise ValueError("unbalanced parenthesis")
            return value
        if tokens[:1] == ["WITH"]:
            token = f"{token} WITH {tokens[1]}"
            del tokens[:2]
        return token in allowed

    value = either()
    if tokens:
        raise ValueError(f"cannot read {tokens}")
    return value


def main() -> int:
    rules = tomllib.loads((ROOT / "deny.toml").read_text(encoding="utf-8"))
    allowed = set(rules["licenses"]["allow"])
    exceptions = {rule["crate"]: set(rule["allow"]) for rule in rules["licenses"]["exceptions"]}
    banned = {rule["crate"]: rule for rule in rules["bans"]["deny"]}
    metadata = json.loads(
        subprocess.run(
            ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"],
            cwd=ROOT, check=True, stdout=subprocess.PIPE,
        ).stdout
    )
    names = {package["id"]: package["name"] for package in metadata["packages"]}
    wanted_by: dict[str, set[str]] = {}
    for node in metadata["resolve"]["nodes"]:
        for dependency in node["dependencies"]:
            wanted_by.setdefault(names[dependency], set()).add(names[node["id"]])

    offences = []
    for package in metadata["packages"]:
        label = f"{package['name']} {package['version']}"
        own = package["source"] is None
        if not own and package["source"] != REGISTRY:
            offences.append(f"{label}: comes from {package['source']}, not from crates.io")
        licence = package["license"]
        if not licence:
            offences.append(f"{label}: declares no SPDX licence")
        elif not satisfied(licence, allowed | exceptions.get(package["name"], set())):
            offences.append(f"{label}: licence {licence} is not allowed")
        rule = banned.get(package["name"])
        if rule:
            unwrapped = wanted_by.get(package["name"], set()) - set(rule.get("wrappers", []))
            if unwrapped or "wrappers" not in rule:
                offences.append(f"{label}: banned ({rule['reason']}); wanted by {', '.join(sorted(unwrapped))}")
        if own:
            for dependency in package["dependencies"]:
                if dependency["req"] == "*":
                    offences.append(f"{label}: {dependency['name']} has no version bound")
    for offence in offences:
        print(offence, file=sys.stderr)
    print(f"{len(metadata['packages'])} packages, {len(offences)} offences")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
