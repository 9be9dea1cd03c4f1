"""The operators of a file that cannot be taken over, by their own names."""

from collections.abc import Callable

from edgefashion.importing.network.given import Given, Refused
from edgefashion.importing.network.layout import Data
from edgefashion.importing.network.plan import Unsupported


class Failures:
    """Those that stand in the way.

    What an operator computes of single numbers becomes a layer only when another one reads it: where that
    cannot be, the former is named, and once.
    """

    def __init__(self) -> None:
        self._names: list[str] = []
        self._makers: dict[object, str] = {}
        self._told: set[object] = set()

    def note(self, kind: str, found: object) -> None:
        """An operator made this."""
        if isinstance(found, Data) and found.curve.kind != "tensor":
            self._makers.setdefault(found.curve, kind)

    def add(self, kind: str, reason: Unsupported) -> None:
        """An operator could not be taken over, or one whose curve it reads."""
        maker = next((each for each in reason.curves if each in self._makers), None)
        if maker is None or maker not in self._told:
            self._told.add(maker)
            self._names.append(f"{self._makers.get(maker, kind)} {reason}".strip())

    def checked(self, end: Callable[[], Given]) -> Given:
        """The end of the way. Raises Refused where there are any."""
        try:
            if not self._names:
                return end()
        except Unsupported as reason:
            self.add("output", reason)
        raise Refused.operators(self._names)
