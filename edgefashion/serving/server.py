"""All connections: each has a thread, and there is room for so many."""

import contextlib
import errno
import select
import socket
import threading
import time
from collections import Counter

from edgefashion.serving import limits
from edgefashion.serving.connection import Connection
from edgefashion.serving.site import Site

_GONE = (errno.ECONNABORTED, errno.EPROTO)
_LACKING = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_PAUSE_S, _LOOK_S = 0.05, 0.2


class Server:
    """Answers whoever comes to a listening socket, until `stop` or KeyboardInterrupt."""

    def __init__(self, listener: socket.socket, site: Site) -> None:
        self._listener, self._site = listener, site
        self._bodies = limits.Bytes(limits.BODIES_BYTES)
        self._threads: dict[Connection, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stop, self._stopped = socket.socketpair()
        self._complete = threading.Event()
        """Set when nobody is accepted any more."""
        self._failure: Exception | None = None
        """Why, where that was not asked for."""

    def run(self) -> None:
        """Accept connections. In the end what runs is finished; what rests is closed. Raises OSError where no
        more can be accepted.
        """
        try:
            threading.Thread(target=self._accept_all).start()  # where no signal interrupts
            # Not `join`, which takes a thread for ended once it is interrupted; and looking up now and then,
            # for a signal that another thread has received wakes nobody.
            while not self._complete.wait(_LOOK_S):
                pass
        finally:
            self.stop()
            self._complete.wait(limits.LINGER_S)  # not for ever: a signal may have come before it began
            self._finish()
        if self._failure:
            raise self._failure

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._threads)

    def stop(self) -> None:
        """End `run`, from another thread."""
        self._stop.close()

    def _accept_all(self) -> None:
        """Accept until `stop`, and then who has come by then."""
        self._listener.setblocking(False)
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        poll.register(self._stopped, select.POLLIN)
        with self._listener, self._stopped:
            try:
                stopping = False
                while self._accept() or not stopping:
                    poll.poll()
                    stopping = self._stop.fileno() < 0
            except Exception as error:
                self._failure = error
            finally:
                self._complete.set()

    def _accept(self) -> bool:
        """Whether somebody has come."""
        try:
            self._admit(*self._listener.accept())
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in (*_GONE, *_LACKING):
                raise
            if error.errno in _LACKING:
                with self._lock:
                    self._make_room()
            time.sleep(_PAUSE_S)
        return True

    def _admit(self, stream: socket.socket, address: tuple[str, int]) -> None:
        connection = Connection(stream, address[0], self._site, self._bodies)
        with self._lock:
            if len(self._threads) >= limits.CONNECTIONS and not self._make_room():
                stream.close()  # all others have an answer coming
                return
            thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
            self._threads[connection] = thread
        try:
            thread.start()
        except RuntimeError:  # the system has no more of them
            self._forget(connection)
            stream.close()

    def _run(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        with self._lock:
            self._threads.pop(connection, None)

    def _make_room(self) -> bool:
        """Break off a connection that has no answer coming: of the address with most of them, the one that
        has been silent or sending for longest. Whether there was one.
        """
        counts = Counter(each.address for each in self._threads)
        waiting = [each for each in self._threads if not each.answering]
        if not waiting:
            return False
        slowest = max(waiting, key=lambda each: (counts[each.address], -each.since))
        del self._threads[slowest]
        slowest.drop()
        return True

    def _finish(self) -> None:
        with self._lock:
            left = dict(self._threads)
        for connection in left:
            connection.ending = True
            if connection.rest():
                connection.hear_no_more()
        for patience in (limits.LINGER_S, limits.ANSWER_S):
            deadline = time.monotonic() + patience
            for thread in left.values():
                with contextlib.suppress(RuntimeError):  # not yet started
                    thread.join(max(0.0, deadline - time.monotonic()))
            for connection in left:
                if not connection.answering:  # a request that is only half here
                    connection.hear_no_more()
