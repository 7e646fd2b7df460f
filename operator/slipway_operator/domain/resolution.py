"""What a source led to when it was asked: a place and a digest, which together always mean the same bytes.

Must not know who asks, nor how it is written down.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Resolved:
    """Bytes under a name that never stands for others."""

    uri: str
    digest: str = ""  # that the bundle must have; "" where the source gives nothing to pin it by
    etag: str = ""  # the storage's names for its slipway.yaml
    version_id: str = ""
    registered: str = ""  # the MLflow version that a model or an alias stood for
