"""The API server, asked directly: what a test writes and reads beside the operator.

Must not know of the operator.
"""

from __future__ import annotations

import http.client
import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.recorder_tests.control_plane import ControlPlane

Body = dict[str, Any]
_MERGE = "application/merge-patch+json"


class Rest:
    """An administrator's requests; each on a connection of its own."""

    def __init__(self, plane: ControlPlane) -> None:
        kubeconfig = json.loads(plane.kubeconfig.read_text())
        self.url = str(kubeconfig["clusters"][0]["cluster"]["server"])
        self.token = str(kubeconfig["users"][0]["user"]["token"])
        self.certificate: Path = plane.folder / "pki" / "apiserver.crt"
        self._context = ssl.create_default_context(cafile=str(self.certificate))

    def ask(self, method: str, path: str, body: Body | None = None, *, content: str = _MERGE) -> Body | None:
        """What the server answers, or None when there is no such object."""
        where = urlsplit(self.url)
        assert where.hostname is not None
        connection = http.client.HTTPSConnection(
            where.hostname, where.port, timeout=60, context=self._context
        )
        try:
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content}
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status == 404:
            return None
        assert answer.status < 300, f"{method} {path}: {answer.status} {text[:500]!r}"
        parsed: Body = json.loads(text)
        return parsed

    def get(self, path: str) -> Body | None:
        return self.ask("GET", path)

    def items(self, path: str) -> list[Body]:
        found = self.ask("GET", path)
        assert found is not None, path
        listed: list[Body] = found["items"]
        return listed

    def create(self, path: str, body: Body) -> Body:
        made = self.ask("POST", path, body, content="application/json")
        assert made is not None
        return made

    def patch(self, path: str, body: Body) -> Body | None:
        return self.ask("PATCH", path, body)
