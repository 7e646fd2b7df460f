"""The one place that takes credentials out of a text, on its way to a log, a message or an answer.

Two rules. Wherever 8 or more characters in a row also stand in a credential that this process knows (in any
case, and in the spellings that libraries give it: quoted, escaped, encoded), they become ***, unless they
stand in what is no secret too, such as the name of the bucket. And whatever follows a word that says what
it is (`Authorization:`, `Signature=`, `Bearer`, user and password in a URL) becomes ***, whoever made it.

So a credential of fewer than 8 characters goes by the second rule only: a password "a" is no reason to make
every text unreadable. Knows no layer of the runtime.
"""

import collections
import functools
import json
import re
import threading
import urllib.parse
from collections.abc import Iterable, Iterator

SHORTEST = 8
MOST_CHARACTERS = 16_384
MASK = "***"

_FEW = 32  # of what was learned: the keys of the last few loads
_LONGEST = 8192  # characters of a credential: no header is longer
_CACHED_CHARACTERS = 400
_VALUE = r"""[^"'\r\n<>\\&]*"""
_WORD = r"""[^\s"'<>&,;\\]+"""
_NAMED = (
    "AccessKeyId|AWSAccessKeyId|CanonicalRequest(?:Bytes)?|SecretAccessKey|SecurityToken|SessionToken|"
    "SignatureProvided|StringToSign(?:Bytes)?|Token|WebIdentityToken"
)
_ALONE = re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*")
# Without a word's border before a name: in the text of some bytes it stands behind \\n.
_PATTERNS = [
    (re.compile(pattern, flags), replacement)
    for pattern, flags, replacement in (
        (r"(//)[^/?#\s\"'<>]*(@)", 0, rf"\1{MASK}\2"),
        (r"(AWS4-[A-Z0-9-]+ +)" + _VALUE, re.I, rf"\1{MASK}"),
        (r"((?i:basic|bearer|negotiate) +)(?=\S*[0-9A-Z=+/])[\w+/.~=*%-]{8,}", 0, rf"\1{MASK}"),
        (
            r"((?:proxy-)?authorization|(?:set-)?cookie|x-amz-security-token|x-aws-ec2-metadata-token"
            r"|x-api-key)(\\*[\"']?\s*[:=]\s*(?-i:b?)\\*[\"']?)" + _VALUE,
            re.I,
            rf"\1\2{MASK}",
        ),
        (
            r"(x-amz-(?:credential|security-token|signature)|awsaccesskeyid|credential|signature"
            r"|access_token|password|secret|token|webidentitytoken)(=|%3D)" + _WORD,
            re.I,
            rf"\1\2{MASK}",
        ),
        (rf"<({_NAMED})>[^<]*", re.I, rf"<\1>{MASK}"),
        (rf"({_NAMED})(\\*[\"']\s*:\s*\\*[\"'])[^\"'\\]*", re.I, rf"\1\2{MASK}"),
    )
]
_HINT = re.compile(r"@|[=<]|%3d|(?i:aws4|basic|bearer|negotiate|authoriz|cookie|token|key)")


def text(said: str) -> str:
    """`said` without what it must not tell. Of what is left, all stays as it is.

    Of a text that is longer than `MOST_CHARACTERS` the begin and the end are left: it may be a client's own
    megabytes, and a search of those would take seconds of the event loop.
    """
    if len(said) <= _CACHED_CHARACTERS:
        return _short(said)
    return _redacted(said if len(said) <= MOST_CHARACTERS else _cut(said))


def _cut(said: str) -> str:
    """The end is as long as a traceback's last frames."""
    end = MOST_CHARACTERS // 4
    begin = MOST_CHARACTERS - end
    return f"{said[:begin]} … {len(said) - begin - end} characters more … {said[-end:]}"


def know(secrets: Iterable[str], *, names: Iterable[str] = ()) -> None:
    """From now on these are the credentials, and no others. `names` are no secrets, and stay readable."""
    with _lock:
        _state.learned.clear()
        _state.public = frozenset(_runs(names))
        _state.given = _windows(secrets)
        _changed()


def learn(*secrets: str) -> None:
    """Of credentials that are made while the process runs, the last few."""
    with _lock:
        new = [one for one in secrets if len(one) >= SHORTEST and one not in _state.learned]
        if new:
            _state.learned.extend(new)
            _changed()


class _State:
    def __init__(self) -> None:
        self.public: frozenset[str] = frozenset()
        self.given: frozenset[str] = frozenset()
        self.learned: collections.deque[str] = collections.deque(maxlen=_FEW)
        self.windows: frozenset[str] | None = frozenset()


_state, _lock = _State(), threading.RLock()


def _changed() -> None:
    _state.windows = None  # made when they are needed: errors are rarer than requests
    _short.cache_clear()


def _known() -> frozenset[str]:
    windows = _state.windows
    if windows is None:
        with _lock:
            windows = _state.windows = _state.given | _windows(tuple(_state.learned))
    return windows


def _windows(secrets: Iterable[str]) -> frozenset[str]:
    spelled = {spelling for secret in secrets for spelling in _spellings(secret)}
    return frozenset(_runs(spelled)) - _state.public


def _runs(texts: Iterable[str]) -> Iterator[str]:
    for one in texts:
        lowered = _lowered(one)
        for start in range(len(lowered) - SHORTEST + 1):
            run = lowered[start : start + SHORTEST]
            if not run.isspace():
                yield run


def _spellings(secret: str) -> set[str]:
    """`secret` as a library may show it."""
    if len(secret) < SHORTEST:
        return set()
    secret = secret[:_LONGEST]
    plain = {
        secret,
        " ".join(secret.split()),
        urllib.parse.unquote(secret),
        urllib.parse.unquote_plus(secret),
    }
    plain |= {secret.encode(errors="replace").decode("latin-1")}
    spelled = set(plain)
    for one in plain:
        raw = _bytes(one)
        spelled |= {urllib.parse.quote(raw, safe=safe) for safe in ("", "/", "/:@", "!$&'()*+,;=:/")}
        spelled |= {urllib.parse.quote_plus(raw), repr(raw)[2:-1], repr(one)[1:-1], ascii(one)[1:-1]}
        spelled |= {json.dumps(one)[1:-1]}
    return spelled | {repr(one)[1:-1] for one in spelled}


def _bytes(said: str) -> bytes:
    """As the environment holds it, and never an error."""
    try:
        return said.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return said.encode(errors="surrogatepass")


def _lowered(said: str) -> str:
    """In lower case, with each character where it was."""
    if said.isascii():
        return said.lower()
    return "".join(low if len(low := one.lower()) == 1 else one for one in said)


def _redacted(said: str) -> str:
    said = _masked(_ALONE.sub(MASK, said), _known())
    if _HINT.search(said):
        for pattern, replacement in _PATTERNS:
            said = pattern.sub(replacement, said)
    return said


def _masked(said: str, windows: frozenset[str]) -> str:
    if not windows:
        return said
    lowered = _lowered(said)
    hits = [at for at in range(len(lowered) - SHORTEST + 1) if lowered[at : at + SHORTEST] in windows]
    if not hits:
        return said
    pieces, begin, end = [], hits[0], hits[0] + SHORTEST
    left = 0
    for hit in hits[1:]:
        if hit - end >= SHORTEST:  # what stands between two parts of a secret is most likely one too
            pieces += [said[left:begin], MASK]
            left, begin = end, hit
        end = hit + SHORTEST
    return "".join((*pieces, said[left:begin], MASK, said[end:]))


@functools.lru_cache(maxsize=256)
def _short(said: str) -> str:
    """Refusals are the same text again and again while a queue is full."""
    return _redacted(said)
