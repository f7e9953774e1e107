"""Failures to get in: written to a log, and counted for each address that they come from."""

import logging

from starlette.types import Scope

from kullback.access.limits import TokenBuckets, network
from kullback.api.credentials import NoCredentials
from kullback.api.scopes import Protected
from kullback.errors import AccessRefused, KullbackError, RateLimited, Unauthenticated

PER_SECOND = 1.0
AT_ONCE = 10.0
TOO_MANY = "too many requests without a valid key came from here"

audit = logging.getLogger("kullback.audit")


class Failures:
    """How often each address may fail; whoever shares it and has a valid key is not harmed."""

    def __init__(self) -> None:
        self._buckets = TokenBuckets()

    def check(self, scope: Scope) -> None:
        """Refuse what costs something to look at where an address has failed too often.

        Raises:
            RateLimited: it has.
        """
        address = network(_address(scope))
        seconds = self._buckets.take(address, PER_SECOND, AT_ONCE, tokens=0.0)
        if seconds:
            raise RateLimited(TOO_MANY, seconds)

    def recorded(self, refusal: AccessRefused, scope: Scope, route: Protected) -> KullbackError:
        """The refusal, in the log too; of many from one address, those that are not too many."""
        is_first_look = route.rule.page and isinstance(refusal, NoCredentials)
        if is_first_look or isinstance(refusal, RateLimited):
            return refusal  # whoever opens a page is about to log in
        address = _address(scope)
        seconds = self._buckets.take(network(address), PER_SECOND, AT_ONCE)
        if seconds and isinstance(refusal, Unauthenticated):
            return RateLimited(TOO_MANY, seconds)
        if not seconds:
            fields = {
                "event": "refused",
                "key": getattr(scope["state"].get("caller", refusal), "key", ""),
                "method": scope["method"][:16],
                "route": route.path_format,
                "address": address,
                "reason": refusal.message,
            }
            audit.warning("access refused", extra={"fields": fields})
        return refusal


def _address(scope: Scope) -> str:
    address: str = (scope.get("client") or ("",))[0]
    return address
