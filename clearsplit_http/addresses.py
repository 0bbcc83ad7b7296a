"""Addresses: where a request comes from, believing only proxies that the operator named.

A proxy appends to X-Forwarded-For the address that it was asked from, so the list is read from the
right: every trusted address is a proxy of ours, and the first other one asks. What stands left of
that anybody may have written. Of an IPv6 address the first 64 bits count: they are one customer's.
"""

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from litestar.types import Scope

Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]

ADDRESSES_MAX: Final = 1_000
"""Addresses that are remembered as they were read."""
HOPS_MAX: Final = 20
"""Addresses in X-Forwarded-For that are looked at."""


def client_address(scope: Scope, trusted: Networks) -> str:
    """The address that asks, in one form, and empty where none is known (a Unix socket)."""
    client = scope["client"]
    found = client[0] if client else ""
    hops = _hops(scope)
    for _ in range(HOPS_MAX):
        if not is_trusted(found, trusted):
            break
        named = _without_port(next(hops, ""))
        if not _parsed(named):
            break
        found = named
    return in_one_form(found)


def came_by_tls(scope: Scope, trusted: Networks) -> bool:
    """Whether the client's connection was encrypted, as far as we can know."""
    if scope["scheme"] == "https":
        return True
    client = scope["client"]
    said = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
    return said == [b"https"] and is_trusted(client[0] if client else "", trusted)


def is_trusted(address: str, trusted: Networks) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in trusted)


def read_networks(text: str) -> Networks:
    """Addresses and networks, separated by commas. Raises ValueError."""
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())


def _hops(scope: Scope) -> Iterator[str]:
    """What X-Forwarded-For says, the last first."""
    lines = (value for name, value in scope["headers"] if name == b"x-forwarded-for")
    for hop in reversed(b",".join(lines).decode("latin-1").split(",")):
        yield hop.strip()


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


@lru_cache(ADDRESSES_MAX)
def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return (isinstance(parsed, IPv6Address) and parsed.ipv4_mapped) or parsed


def in_one_form(address: str) -> str:
    """An address as it is counted and logged; what is none stays as it is."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed) >> 64 << 64, 64)))
    return address if parsed is None else str(parsed)
