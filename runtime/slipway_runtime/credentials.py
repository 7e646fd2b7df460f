"""Which variables of the environment hold a credential, in what form, and what of them is none.

A Secret that was made with `echo` and not with `echo -n` ends with a line break, which no HTTP header may
have: it is trimmed where the libraries look, in the environment itself. Knows none of these libraries.
"""

import base64
import pathlib
import re
import urllib.parse
from collections.abc import Iterator, Mapping, MutableMapping

from slipway_runtime.failures import Reason, StartupError

_OURS = re.compile(r"(?:AWS|MLFLOW|OTEL|DATABRICKS)_.*|(?i:https?|all|no)_(?i:proxy)")
_SECRET = re.compile(r".*(?:ACCESS_KEY|SECRET|TOKEN|PASSWORD|USERNAME)(?!.*_(?:FILE|PATH|URI|URL)$).*")
_HEADERS = re.compile(r"OTEL_EXPORTER_OTLP_(?:.*_)?HEADERS")
_ADDRESS = re.compile(
    r".*_(?:ENDPOINT|ENDPOINT_URL.*|FULL_URI|TRACKING_URI|REGISTRY_URI)|(?!no_).*_proxy", re.I
)
_IN_A_HEADER = re.compile(r"AWS_ACCESS_KEY_ID|.*_TOKEN")  # sent as it is; a password is encoded first
_LINE_BREAKS = "\r\n"
_NO_HEADER_HAS = re.compile(r"[^ -~]")
_TOKEN_FILES = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
_NAMES = ("MODEL_BUCKET", "MODEL_KEY")
_LARGEST_FILE = 8192  # bytes: more would fit into no header


def tidy(environment: MutableMapping[str, str]) -> None:
    """Trim what AWS_*, MLFLOW_*, OTEL_* and *_PROXY hold, and refuse what can be no credential or address.

    Of the AWS's and the proxies' all white space goes, of the others line breaks only: a password may end
    with a space. Raises StartupError(ConfigurationInvalid), which names the variable and never its value.
    """
    for name, value in list(environment.items()):
        if not _OURS.fullmatch(name):
            continue
        whole = name.startswith("AWS_") or name.lower().endswith("_proxy")
        trimmed = value.strip() if whole else value.strip(_LINE_BREAKS)
        _check(name, trimmed)
        if trimmed != value:
            environment[name] = trimmed


def check_files(environment: Mapping[str, str]) -> None:
    """Refuse a file's token with which no request could be made. Raises StartupError(ConfigurationInvalid).

    Whether there is such a file is not its business.
    """
    name = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
    if any(character in token for token in _token(environment.get(name, "")) for character in _LINE_BREAKS):
        raise _invalid(name, "the token in its file has a line break; write the file without one")


def secrets(environment: Mapping[str, str]) -> Iterator[str]:
    """Every credential in `environment`, and in the files of tokens that it names."""
    for name, value in environment.items():
        if not _OURS.fullmatch(name):
            continue
        if _HEADERS.fullmatch(name):
            yield value
            yield from (one.partition("=")[2] for one in value.split(","))
        elif _SECRET.fullmatch(name):
            yield value
        else:
            yield from _userinfo(value)
    user, password = environment.get("MLFLOW_TRACKING_USERNAME"), environment.get("MLFLOW_TRACKING_PASSWORD")
    yield from _basic(f"{(user or '').strip(_LINE_BREAKS)}:{(password or '').strip(_LINE_BREAKS)}")
    yield from file_tokens(environment)


def file_tokens(environment: Mapping[str, str]) -> Iterator[str]:
    """What lies in the files of tokens that `environment` names, now: they are rotated."""
    for name in _TOKEN_FILES:
        yield from _token(environment.get(name, ""))


def names(environment: Mapping[str, str]) -> Iterator[str]:
    """What may be said whatever a credential has in common with it: buckets, folders, hosts, variables."""
    for name, value in environment.items():
        if _OURS.fullmatch(name):
            yield name
        if name in _NAMES:
            yield value
        elif name == "MODEL_URI" or (_OURS.fullmatch(name) and _ADDRESS.fullmatch(name)):
            rest = value.rpartition("@")[2]
            yield rest if name == "MODEL_URI" else re.split(r"[/?#]", rest.partition("://")[2] or rest)[0]


def _check(name: str, value: str) -> None:
    is_secret = bool(_SECRET.fullmatch(name)) and not _HEADERS.fullmatch(name)
    if (is_secret or _ADDRESS.fullmatch(name)) and any(one in value for one in _LINE_BREAKS):
        raise _invalid(name, "it has a line break inside; write it in one line")
    found = _NO_HEADER_HAS.search(value) if is_secret and _IN_A_HEADER.fullmatch(name) else None
    if found is not None:
        place = f"its character {found.start() + 1} of {len(value)}"
        raise _invalid(name, f"{place} is none that a key or a token may have; copy it anew")


def _userinfo(value: str) -> Iterator[str]:
    """What stands before the last @ of an address, also where that is no valid address."""
    before, at, _ = value.rpartition("@")
    if not at:
        return
    user = before.partition("://")[2] or before
    yield user
    yield from user.split(":", 1)
    yield from _basic(user)
    yield from _basic(urllib.parse.unquote(user))


def _basic(user: str) -> Iterator[str]:
    """`user`:password as it is sent."""
    yield base64.b64encode(user.encode(errors="surrogateescape")).decode()
    yield base64.b64encode(user.encode("latin-1", errors="replace")).decode()


def _token(path: str) -> Iterator[str]:
    if path:
        try:
            with pathlib.Path(path).open("rb") as file:
                yield file.read(_LARGEST_FILE).decode(errors="replace")
        except (OSError, ValueError):
            return  # whoever needs it will say so


def _invalid(variable: str, message: str) -> StartupError:
    return StartupError(Reason.CONFIGURATION_INVALID, f"{variable}: {message}", subject=variable)
