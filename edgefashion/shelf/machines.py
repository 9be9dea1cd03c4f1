"""Which machines are at work: two names of one would measure each other."""

import threading

from edgefashion.errors import HostError
from edgefashion.hosts.host import Host
from edgefashion.hosts.probe import Probe


class Machines:
    """The machines of a run, each with the host that came to it first; for all threads."""

    def __init__(self) -> None:
        self._lock, self._hosts = threading.Lock(), dict[tuple[str, str], Host]()

    def enter(self, host: Host, found: Probe) -> None:
        """Raise HostError where another host leads to our folder on the same running system."""
        if not found.boot:
            return
        with self._lock:
            other = self._hosts.setdefault((found.boot, found.folder), host)
        if other != host:
            raise HostError(host.name, f"it is the same machine as {other}", f"leave {host} or {other} out")
