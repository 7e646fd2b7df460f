"""Addresses at which clouds keep the credentials of the node itself. No storage lives there.

Knows no storage and no client library.
"""

import ipaddress
import socket
import urllib.parse

_NETWORKS = tuple(
    map(
        ipaddress.ip_network,
        (
            "169.254.0.0/16",  # nearly everybody, and the credentials of ECS tasks
            "fe80::/10",
            "fd00:ec2::/64",  # AWS
            "fd20:ce::/64",  # Google
            "100.100.100.200/32",  # Alibaba
            "168.63.129.16/32",  # Azure
        ),
    )
)
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def refuse_metadata(url: str, *, resolve: bool = True) -> None:
    """Raises ValueError when the host of `url` is a metadata service, or (`resolve`) a name for one."""
    host = urllib.parse.urlsplit(url).hostname or ""
    for address in [_parsed(host)] if _parsed(host) else _resolved(host) if resolve else []:
        if address is not None and _is_metadata(address):
            raise ValueError(f"{host} is the address of a cloud's metadata service")


def _is_metadata(address: _Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in network for network in _NETWORKS)


def _parsed(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _resolved(host: str) -> list[_Address | None]:
    """Also what inet_aton takes for an address, such as 2852039166. Behind a proxy names may not resolve."""
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [_parsed(str(answer[4][0])) for answer in answers]
