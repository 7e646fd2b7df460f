"""The generator's configuration: flags, each with an environment variable as its default."""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.ledger.generator import load as loads


@dataclass(frozen=True, slots=True)
class Target:
    """Where the requests go. The host stays a name: each new connection resolves it, as clients do."""

    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The whole address."""
        return f"http://{self.host}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Settings:
    """All that one generator is told."""

    target: Target
    load: loads.Load
    name: str
    records: Path
    port: int
    timeout: float
    reachable_within: float


def parse_target(url: str) -> Target:
    """Split a plain http address. Raises ValueError for any other scheme, or none."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"{url!r}: expected an address such as http://sentiment.default/v1/predict")
    return Target(parts.hostname, parts.port or 80, parts.path or "/")


def read(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """Parse flags and LEDGER_* variables; a wrong one ends the process with a message that names it."""
    values = _parser(environment).parse_args(arguments)
    load = loads.Load(
        clients=values.clients,
        paces=values.pace,
        seed=values.seed,
        max_seconds=values.max_seconds,
        max_requests=values.max_requests,
    )
    return Settings(
        target=values.target,
        load=load,
        name=values.name,
        records=values.records,
        port=values.port,
        timeout=values.timeout,
        reachable_within=values.reachable_within,
    )


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    defaults = loads.Load()
    parser = argparse.ArgumentParser("tests.ledger.generator", description=__doc__)
    table = (
        ("target", parse_target, None, "address to post to"),
        ("clients", loads.parse_clients, defaults.clients_text(), "clients of each class: fast=4,slow=8"),
        ("pace", loads.parse_paces, "", "pace of each class: fast=20/s,slow=0-4s"),
        ("seed", int, str(defaults.seed), "seed of texts and pauses"),
        ("max-seconds", float, str(defaults.max_seconds), "the load ends after this time"),
        ("max-requests", int, str(defaults.max_requests), "the load ends after this many requests"),
        ("name", str, socket.gethostname(), "name of this generator in the records"),
        ("records", Path, "/records/ledger.jsonl", "file to append the records to"),
        ("port", int, "8090", "port of records, counts and stop"),
        ("timeout", float, "30", "seconds for one exchange, and for each wait inside it"),
        ("reachable-within", float, "30", "seconds to wait for the target to accept a connection"),
    )
    for flag, kind, default, text in table:
        value = environment.get("LEDGER_" + flag.upper().replace("-", "_"), default)
        parser.add_argument(f"--{flag}", type=kind, default=value, required=value is None, help=text)
    return parser
