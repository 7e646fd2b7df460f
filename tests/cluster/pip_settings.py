"""Where this machine's pip gets packages from, lent to a build without a trace in the image.

Must not know who builds, nor what.
"""

import ast
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import commands, paths

CERTIFICATES = Path("/etc/ssl/certs")
# All else of a person's pip settings has no place in a build.
LENT = (
    *("index-url", "extra-index-url", "no-index", "find-links", "trusted-host"),
    *("proxy", "cert", "client-cert", "timeout", "default-timeout", "retries"),
)
_LINE = re.compile(r"^(?P<section>[\w:-]+)\.(?P<key>[\w-]+)=(?P<value>['\"].*)$")


@contextmanager
def volumes() -> Iterator[list[str]]:
    """Options that mount pip's cache and settings, and the certificates, into the steps of a build."""
    cache = paths.cache() / "pip"
    cache.mkdir(parents=True, exist_ok=True)
    settings = parse(commands.run([sys.executable, "-m", "pip", "config", "list"]))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pip.conf"
        file.write_text(render(settings))
        lent = {file: Path("/etc/pip.conf"), CERTIFICATES: CERTIFICATES}
        lent |= {place: place for place in _places(settings)}
        mounts = [f"{here}:{there}:ro" for here, there in lent.items() if here.exists()]
        yield [word for mount in [*mounts, f"{cache}:/root/.cache/pip"] for word in ("--volume", mount)]


def parse(listing: str) -> dict[str, str]:
    """The lent settings out of `pip config list`; what the environment says wins over the files."""
    found = [match.groupdict() for line in listing.splitlines() if (match := _LINE.match(line))]
    found.sort(key=lambda line: line["section"].startswith(":env:"))
    values = {line["key"]: str(ast.literal_eval(line["value"])) for line in found}
    return {key: value for key, value in values.items() if key in LENT}


def render(settings: Mapping[str, str]) -> str:
    """A pip.conf of these settings; a value of several lines is indented, as pip reads it."""
    lines = [f"{key} = {value}".replace("\n", "\n    ") for key, value in settings.items()]
    return "\n".join(["[global]", *lines, ""])


def _places(settings: Mapping[str, str]) -> list[Path]:
    """Files and folders that the settings name, but for those under the certificates."""
    named = [Path(word) for word in " ".join(settings.values()).split() if word.startswith("/")]
    return [place for place in named if not place.is_relative_to(CERTIFICATES)]
