"""Who may ask: a page of this server, a program, and no other site that somebody has open meanwhile."""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from edgefashion.serving.messages import Head, Refusal


def own_names() -> set[str]:
    """What this machine is called, besides its addresses."""
    name = socket.gethostname().lower()
    return {"localhost", name, f"{name}.local"}


def check_host(head: Head, names: Iterable[str]) -> None:
    """Raise Refusal unless the request is for an address, or one of these names.

    A site of somebody else can have its own name lead here (DNS rebinding) and be taken for this one by the
    browser; it cannot have an address for a name.
    """
    name = _name(head.headers.get("host", ""))
    if name is None or not (_is_address(name) or name in names):
        raise Refusal(
            403, "this server goes by its address and by the name of its machine only: use one of these"
        )


def check_site(head: Head) -> None:
    """Raise Refusal for what a browser sends for a page of another site."""
    own = f"http://{head.headers.get('host', '')}"
    origin, site = head.headers.get("origin", own), head.headers.get("sec-fetch-site", "none")
    if origin.lower() != own.lower() or site not in ("same-origin", "none"):
        raise Refusal(
            403, "pages of other sites may not ask here: open this server's own page, or use a program"
        )


def _name(host: str) -> str | None:
    """The host of a Host header, without its port; None for nonsense."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    plain = parts.netloc == host and "@" not in host and not (parts.path or parts.query or parts.fragment)
    return parts.hostname if plain else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
