"""What a path of the Open Inference Protocol names. Pure."""

import functools
import urllib.parse
from dataclasses import dataclass
from enum import StrEnum


class What(StrEnum):
    """A route, by the path that its requests are counted under."""

    SERVER = "/v2"
    LIVE = "/v2/health/live"
    READY = "/v2/health/ready"
    MODEL = "/v2/models/{model}"
    MODEL_READY = "/v2/models/{model}/ready"
    INFER = "/v2/models/{model}/infer"
    CONFIG = "/v2/models/{model}/config"
    STATISTICS = "/v2/models/{model}/stats"
    ALL_STATISTICS = "/v2/models/stats"
    INDEX = "/v2/repository/index"
    UNSUPPORTED = "unsupported"
    NOTHING = "other"

    @property
    def method(self) -> str | None:
        """The one that is allowed here; None is any."""
        match self:
            case What.UNSUPPORTED | What.NOTHING:
                return None
            case What.INFER | What.INDEX:
                return "POST"
        return "GET"


@dataclass(frozen=True, slots=True)
class Place:
    """A route, and the model and version that it is about ("" when it names none)."""

    what: What
    model: str = ""
    version: str = ""


_OF_A_MODEL = {
    (): What.MODEL,
    ("ready",): What.MODEL_READY,
    ("infer",): What.INFER,
    ("config",): What.CONFIG,
    ("stats",): What.STATISTICS,
    ("generate",): What.UNSUPPORTED,
    ("generate_stream",): What.UNSUPPORTED,
    ("trace", "setting"): What.UNSUPPORTED,
}
_UNSUPPORTED_TREES = frozenset(
    {"systemsharedmemory", "cudasharedmemory", "xpusharedmemory", "trace", "logging"}
)

# The same few paths come again and again; what a hostile client makes up must not cost memory.
_REMEMBERED = 256
_MAX_REMEMBERED_BYTES = 256


def find(path: bytes) -> Place:
    """What `path` names, as it stands in the request: still with its percent signs, without its query."""
    return _remembered(path) if len(path) <= _MAX_REMEMBERED_BYTES else _find(path)


def _find(path: bytes) -> Place:
    segments = tuple(
        urllib.parse.unquote(segment) for segment in path.decode("ascii", "replace").split("/")[2:]
    )
    match segments:
        case ("models", "stats"):
            return Place(What.ALL_STATISTICS)
        case ("models", model, "versions", version, *rest) if model and version:
            return Place(_OF_A_MODEL.get(tuple(rest), What.NOTHING), model, version)
        case ("models", model, *rest) if model:
            return Place(_OF_A_MODEL.get(tuple(rest), What.NOTHING), model)
    return Place(_elsewhere(segments))


_remembered = functools.lru_cache(_REMEMBERED)(_find)


def _elsewhere(segments: tuple[str, ...]) -> What:
    match segments:
        case () | ("",):
            return What.SERVER
        case ("health", "live"):
            return What.LIVE
        case ("health", "ready"):
            return What.READY
        case ("repository", "index"):
            return What.INDEX
        case ("repository", "models", _, "load" | "unload"):
            return What.UNSUPPORTED
        case (first, *_) if first in _UNSUPPORTED_TREES:
            return What.UNSUPPORTED
    return What.NOTHING
