"""Where the bytes of a bundle came from: for logs, for /health and for the next start.

Values only.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One file that was read. `etag` and `version` are the storage's names for it, "" without any."""

    name: str
    size: int
    sha256: str
    etag: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """`uri` is what was asked for, `resolved` the folder that it meant.

    `registered` is the version that an MLflow alias stood for. `cached` counts the files that came
    from the cache; `away` says that the source did not answer: then all of them did.
    """

    uri: str
    resolved: str
    files: tuple[Fetched, ...] = ()
    cached: int = 0
    away: bool = False
    registered: str = ""
