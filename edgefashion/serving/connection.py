"""One connection: requests read under a deadline, answered one after the other, by a thread of its own."""

import contextlib
import socket
import time
import traceback
from email.utils import formatdate
from http import HTTPStatus

import h11

from edgefashion.serving import limits
from edgefashion.serving.messages import Head, Refusal, Response
from edgefashion.serving.site import Site

RECEIVE_BYTES = 1 << 18
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every response: it is what it says, and no other site's page embeds it."""


class Connection:
    """Answers the requests of one client, until it leaves, is too slow, or `ending`."""

    def __init__(self, stream: socket.socket, address: str, site: Site, bodies: limits.Bytes) -> None:
        self.address, self.since = address, time.monotonic()
        self.answering = False
        """Whether a request has come in as a whole, and its answer has not gone out."""
        self.ending = False
        """Whether it closes with its next answer."""
        self._stream, self._site, self._bodies = stream, site, bodies
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.HEAD_BYTES)
        self._deadline = 0.0

    def run(self) -> None:
        """Answer all requests, then close."""
        with self._stream, contextlib.suppress(OSError, h11.LocalProtocolError):
            self._stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self.ending and self._answer_one():
                pass
            if not self.ending:
                self._linger()

    def drop(self) -> None:
        """Break it off, from another thread."""
        with contextlib.suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)

    def hear_no_more(self) -> None:
        """Answer what has come, from another thread, and nothing that comes from now on."""
        with contextlib.suppress(OSError):
            self._stream.shutdown(socket.SHUT_RD)  # what is in its buffer can still be read

    def rest(self) -> bool:
        """Whether no byte of a request has come since the last answer."""
        return self._http.our_state is h11.IDLE and not self._http.trailing_data[0]

    def _answer_one(self) -> bool:
        """Whether another request may follow."""
        self.since = time.monotonic()
        self._deadline = self.since + (limits.REST_S if self.rest() else limits.REQUEST_S)
        method = b"GET"
        try:
            request = self._event()
            if not isinstance(request, h11.Request):
                return False
            method = request.method
            response = self._respond(request)
        except h11.RemoteProtocolError as error:
            response = _refused(error).response()
        except TimeoutError:
            if self.rest():
                return False
            response = Refusal(408, f"the request did not come in within {limits.REQUEST_S:g} s").response()
        except Refusal as refusal:
            response = refusal.response()
        except (OSError, h11.LocalProtocolError):
            raise  # the client has gone
        except Exception:
            traceback.print_exc()
            response = Refusal(
                500, "a fault of edgefashion: what it is stands where the server runs"
            ).response()
        self._send(response, method)
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            return True
        return False

    def _respond(self, request: h11.Request) -> Response:
        """The answer to a request, whose body is read if it is worth it. Raises Refusal."""
        head = _head(request, self.address)
        self._site.check(head)
        with self._bodies.taken(int(head.headers.get("content-length", 0))):
            body = self._body()
            self.answering = True
            return self._site.respond(head, body)

    def _body(self) -> bytes:
        parts = []
        while isinstance(event := self._event(), h11.Data):
            parts.append(bytes(event.data))
        return b"".join(parts)

    def _event(self) -> h11.Event:
        """What comes next. Raises TimeoutError, h11.RemoteProtocolError."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                self._stream.sendall(
                    self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b""
                )
            resting = self.rest()
            received = self._receive()
            if resting:
                self._deadline = time.monotonic() + limits.REQUEST_S
            self._http.receive_data(received)
        assert not isinstance(event, type)  # paused: never, since no request is read before its answer
        return event

    def _receive(self) -> bytes:
        self._stream.settimeout(max(1e-3, self._deadline - time.monotonic()))
        received = self._stream.recv(RECEIVE_BYTES)
        if time.monotonic() > self._deadline:
            raise TimeoutError
        return received

    def _send(self, response: Response, method: bytes) -> None:
        headers = {
            "Date": formatdate(usegmt=True),
            "Content-Type": response.kind,
            "Content-Length": str(len(response.content)),
            **HEADERS,
            **response.headers,
        }
        if self.ending or self._http.their_state is not h11.DONE:
            headers["Connection"] = "close"
        reason = HTTPStatus(response.status).phrase
        start = h11.Response(status_code=response.status, headers=list(headers.items()), reason=reason)
        message = self._http.send(start) or b""
        if method != b"HEAD":
            message += self._http.send(h11.Data(data=response.content)) or b""
        message += self._http.send(h11.EndOfMessage()) or b""
        self._stream.settimeout(limits.SEND_S)
        self._stream.sendall(message)
        self.answering = False

    def _linger(self) -> None:
        """Say that nothing more follows, and let pass what still comes: else the answer would be lost."""
        self._stream.shutdown(socket.SHUT_WR)
        self._deadline = time.monotonic() + limits.LINGER_S
        while self._receive():
            pass


def _refused(error: h11.RemoteProtocolError) -> Refusal:
    if error.error_status_hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
        why = f"the first line and headers have more than {limits.HEAD_BYTES >> 10} KiB: send fewer"
    else:
        why = f"this is no request of HTTP: {error}"
    return Refusal(error.error_status_hint, why)


def _head(request: h11.Request, address: str) -> Head:
    headers: dict[str, str] = {}
    for name, value in request.headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    path, _, query = request.target.decode("latin-1").partition("?")
    return Head(request.method.decode("latin-1"), path, query, headers, address)
