"""What a source was found to be, as text: a resolver pod's last words, and the note on a Deployment.

Reading and writing stand side by side. Of words that are not to be trusted nothing is taken.
"""

from __future__ import annotations

import json
import re
from typing import Any

from slipway_operator.domain import resolution

_URI = re.compile(r"(s3://|models:/)[^\s\x00-\x1f]{1,1017}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LONGEST_WORD = 512


def note(source: resolution.Resolved) -> str:
    """JSON, without what is not known."""
    values = {
        "uri": source.uri,
        "digest": source.digest,
        "etag": source.etag,
        "versionId": source.version_id,
        "registered": source.registered,
    }
    return json.dumps({name: value for name, value in values.items() if value})


def read(text: str) -> resolution.Resolved | None:
    """None when it is none: the pod was ended before it had spoken, or somebody has edited the note."""
    try:
        found = json.loads(text)
        uri, digest = found["uri"], found.get("digest", "")
        if not _URI.fullmatch(uri) or not (digest == "" or _DIGEST.fullmatch(digest)):
            return None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return resolution.Resolved(
        uri=uri,
        digest=digest,
        etag=_word(found, "etag"),
        version_id=_word(found, "versionId"),
        registered=_word(found, "registered"),
    )


def _word(found: dict[str, Any], name: str) -> str:
    return str(found.get(name, ""))[:_LONGEST_WORD]
