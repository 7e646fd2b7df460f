"""Which application answers a path: the plain endpoints first, and all else is FastAPI's.

One look-up in a dictionary, since it stands before every request. Knows no endpoint.
"""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from slipway_runtime.transport import problems


class Dispatch:
    """An ASGI application of others."""

    def __init__(self, posts: Mapping[str, ASGIApp], *, tree: tuple[str, ASGIApp], others: ASGIApp) -> None:
        """`posts` answer POST on exactly their path; `tree` is a path and who answers all below it."""
        self._posts = posts
        self._root, self._tree = tree
        self._below = f"{self._root}/"
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        endpoint = self._posts.get(path)
        if endpoint is not None:
            if scope["method"] == "POST":
                await endpoint(scope, receive, send)
            else:
                await problems.send(problems.method_not_allowed({"Allow": "POST"}), send)
        elif path == self._root or path.startswith(self._below):
            await self._tree(scope, receive, send)
        else:
            await self._others(scope, receive, send)
