"""One HTTP/1.1 connection: uvicorn's own, with an age, and with a client that is never surprised.

A connection is closed by telling its client `Connection: close` on an answer, never by closing an
idle socket on which a request may already be under way. Knows nothing of routes or models.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport import endless, express, heads, problems, upgrade
from slipway_runtime.transport.corked import Corked
from slipway_runtime.transport.drain import Drain
from slipway_runtime.transport.endless import MAX_HEAD_BYTES, MAX_HEADERS, TRAILERS, Deaf, HeadTooLargeError
from slipway_runtime.transport.exchange import Exchange
from slipway_runtime.transport.express import Express
from slipway_runtime.transport.idleness import Idleness

SCOPE_KEY = "slipway.connection"

_MAX_PIPELINED = 128
# For a client that is still sending to read why it is not listened to: a close at once would be a reset.
_LAST_WORD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Seconds: a connection's life, and how long its client may take to send a request or read an answer."""

    max_age: float
    patience: float


class Connection(HttpToolsProtocol):
    """A connection on the port of the models. One is found in each request's scope[SCOPE_KEY]."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],  # uvicorn's signature
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        drain: Drain,
        limits: ConnectionLimits,
        metrics: Metrics,
        express: Express | None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._drain = drain
        self._metrics = metrics
        self._limits = limits
        self._express = express
        self._idleness = Idleness(self.loop, self.timeout_keep_alive, self.timeout_keep_alive_handler)
        # Jittered, so that the clients of a rollout do not all come back in the same moment.
        self._told_to_leave_at = time.monotonic() + limits.max_age * random.uniform(0.8, 1.0)  # noqa: S311
        self._receiving = False
        self._bodiless_bytes = 0  # that came since the request began, or since the last of its body
        self._receive_timer: asyncio.TimerHandle | None = None
        self._send_timer: asyncio.TimerHandle | None = None
        self.lost = False
        self.on_lost: Callable[[], None] | None = None
        """Called once when the client leaves; for whoever works on its request at the moment."""

    def must_close(self, now: float) -> bool:
        """Whether the answer that is being sent must say `Connection: close`.

        Not while further requests of this client are here already: they would be lost.
        """
        if self.pipeline:
            return False
        return self._drain.begun or now >= self._told_to_leave_at

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(cast("asyncio.Transport", Corked(transport, self.loop)))
        self._drain.opened()
        self._metrics.connections_open.set(self._drain.open)
        # uvicorn looks at the time after the first answer only: a silent client would stay for ever.
        self._idleness.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.lost = True
        if self.on_lost is not None:
            self.on_lost()
        self._stop_receive_timer()
        self._stop_send_timer()
        self._idleness.stop()
        self._drain.closed(time.monotonic())
        self._metrics.connections_open.set(self._drain.open)

    def data_received(self, data: bytes) -> None:
        """As uvicorn's, but for a request that offers another protocol: it is served, not cut short.

        And for one whose head has no end: nothing else bounds it.
        """
        if len(data) > MAX_HEAD_BYTES:  # a head that comes whole must not be larger either
            for begin in range(0, len(data), MAX_HEAD_BYTES):
                if not self.transport.is_closing():
                    self.data_received(data[begin : begin + MAX_HEAD_BYTES])
            return
        size = len(data)
        while data:
            try:
                self.parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as offer:
                data = self._decline(data[offer.args[0] :])
            except httptools.HttpParserError as error:
                if isinstance(error.__context__, HeadTooLargeError):
                    self._refuse_head()
                else:
                    self.send_400_response("Invalid HTTP request received.")
                return
        if self._receiving:
            self._wait_for_more(size)

    def on_message_begin(self) -> None:
        self._idleness.end()
        self._stop_receive_timer()
        self._receiving = True
        self._bodiless_bytes = 0
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        # A head that comes at once has no room for too many bytes, but for too many headers.
        if (self._bodiless_bytes or len(self.headers) > MAX_HEADERS) and endless.is_too_large(
            self.url, self.headers
        ):
            raise HeadTooLargeError
        if self._offers_upgrade():
            return
        if self._goes_short():
            self.headers = TRAILERS
            return
        self._make_scope()
        super().on_headers_complete()
        self.headers = TRAILERS
        if len(self.pipeline) > _MAX_PIPELINED:
            self.transport.close()

    def on_body(self, body: bytes) -> None:
        self._bodiless_bytes = 0
        if isinstance(self.cycle, Exchange):
            self.cycle.add(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._offers_upgrade():
            return
        self._receiving = False
        self._stop_receive_timer()
        if isinstance(self.cycle, Exchange):
            self.cycle.begin()
            return
        super().on_message_complete()
        if self.cycle.response_complete:  # the answer overtook the end of the body
            self._idleness.begin()

    def on_response_complete(self) -> None:
        """As uvicorn's, with a clock of our own."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif not self._receiving:
            self._idleness.begin()

    def send_400_response(self, msg: str) -> None:
        self._metrics.requests.labels("other", "400").inc()
        super().send_400_response(msg)

    def pause_writing(self) -> None:
        """The client does not read its answer: it may not hold it, or a drain, for ever."""
        super().pause_writing()
        self._send_timer = self.loop.call_later(self._limits.patience, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_send_timer()

    def timeout_keep_alive_handler(self) -> None:
        """In a drain an idle client is waited for: its next request is served, and told to leave."""
        if not self._drain.begun:
            super().timeout_keep_alive_handler()

    def _wait_for_more(self, size: int) -> None:
        """A request has not come whole, as most do. `size` bytes of it have come just now."""
        self._bodiless_bytes += size
        # Up to one read too many are counted, those before the request began: only a head without end
        # comes to this.
        if self._bodiless_bytes > 2 * MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS:
            self._refuse_head()
        elif self._receive_timer is None:
            self._receive_timer = self.loop.call_later(self._limits.patience, self._abandon)

    def _refuse_head(self) -> None:
        """Listen no more, and say so once everything before this request has been answered."""
        self.parser = cast("Any", Deaf())
        self._receiving = False
        self._stop_receive_timer()
        if not self._is_answering():
            self._say_last(problems.head_too_large(MAX_HEAD_BYTES))
        elif self.headers is TRAILERS:  # of the very request that is to be answered
            self.transport.close()
        else:
            self.cycle.keep_alive = False

    def _say_last(self, problem: problems.ProblemError) -> None:
        """Answer with `problem`, and close. A close at once would be a reset, in which the answer is lost."""
        self._metrics.requests.labels("other", str(problem.status)).inc()
        reply = problems.reply(problem)
        length = (b"content-length", b"%d" % len(reply.body))
        said = (*self.server_state.default_headers, *reply.headers, length, (b"connection", b"close"))
        self.transport.writelines((heads.write(reply.status, said), b"\r\n", reply.body))
        self.transport.write_eof()
        self._receive_timer = self.loop.call_later(_LAST_WORD_SECONDS, self._abandon)

    def _goes_short(self) -> bool:
        """Whether the request whose head has just come needs no more than an Exchange, which it then gets."""
        if self._express is None or self._is_answering() or not self._is_usual_post():
            return False
        route = self._express.route(self.url)
        if route is None or not express.is_short(headers := dict(self.headers)):
            return False
        self.cycle = cast("Any", Exchange(self, self._express, route, headers))
        return True

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _is_usual_post(self) -> bool:
        return self.parser.get_method() == b"POST" and self.parser.get_http_version() == "1.1"

    def _make_scope(self) -> None:
        """What uvicorn makes of every request, for those that it answers."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers  # the list is the scope's by now
        cast("dict[str, Any]", self.scope)[SCOPE_KEY] = self

    def _offers_upgrade(self) -> bool:
        return self.parser.should_upgrade() and upgrade.is_offered(self.headers)

    def _decline(self, rest: bytes) -> bytes:
        """What to feed to a new parser: the same request without its offer, and what came after its head."""
        if not upgrade.is_offered(self.headers):
            return b""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        head = upgrade.head_without_offer(method=method, url=self.url, version=version, headers=self.headers)
        return head + rest

    def _abandon(self) -> None:
        self.transport.close()

    def _stop_receive_timer(self) -> None:
        if self._receive_timer is not None:
            self._receive_timer.cancel()
            self._receive_timer = None

    def _stop_send_timer(self) -> None:
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None


def factory(
    *, drain: Drain, limits: ConnectionLimits, metrics: Metrics, express: Express | None
) -> type[asyncio.Protocol]:
    """What uvicorn's Config takes for `http`: makes a Connection from uvicorn's own arguments.

    Without an `express` all requests go through the ASGI application.
    """

    def make(*args: Any, **kwargs: Any) -> asyncio.Protocol:
        return Connection(*args, **kwargs, drain=drain, limits=limits, metrics=metrics, express=express)

    return cast("type[asyncio.Protocol]", make)  # uvicorn only ever calls it
