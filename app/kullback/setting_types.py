"""Types of settings that say more than their words: hosts, networks, a prefix."""

import re
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator

_is_host = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]").fullmatch
_is_prefix = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)+").fullmatch
_is_web_address = re.compile(
    r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?(/[A-Za-z0-9._~/-]+)?"
).fullmatch

# The first parts of the paths of all routes.
OWN_PATHS = {
    *("docs", "experiments", "livez", "login", "logout", "metrics", "monitors", "openapi.json"),
    *("playground", "problems", "readyz", "static", "v1"),
}


def _named_alone(hosts: str) -> str:
    names = filter(None, (name.strip() for name in hosts.split(",")))
    if not all(name == "*" or _is_host(name) for name in names):
        raise ValueError("say a host alone, without scheme and port, or * for any")
    return hosts


def _prefix(path: str) -> str:
    prefix = path.rstrip("/")
    if prefix and not _is_prefix(prefix):
        raise ValueError("say a path alone, as /kullback")
    first = prefix.split("/")[1] if prefix else ""
    if first in OWN_PATHS:  # nobody could tell whether the proxy took it away
        raise ValueError(f"paths of the service itself begin with /{first}: choose another")
    return prefix


def _networks(addresses: str) -> str:
    for address in filter(None, map(str.strip, addresses.split(","))):
        ip_network(address)  # says what is wrong with it
    return addresses


def _web_address(text: str) -> str:
    address = text.rstrip("/")
    if address and not _is_web_address(address):
        raise ValueError("say an address alone, as https://example.com/kullback")
    return address


HostNames = Annotated[str, AfterValidator(_named_alone)]
PathPrefix = Annotated[str, AfterValidator(_prefix)]
Networks = Annotated[str, AfterValidator(_networks)]
WebAddress = Annotated[str, AfterValidator(_web_address)]  # without a slash at its end
