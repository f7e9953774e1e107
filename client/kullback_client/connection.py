"""Where a service is, the key it asks for, and how long to wait for it."""

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from .errors import Unreachable
from .exchange import Retry

URL = "http://127.0.0.1:8000"
__version__ = "0.2.0"
_KEYS = ("KULLBACK_API_KEY", "KULLBACK_KEY")  # the second is what the command line has always read
_IS_PRINTABLE = re.compile(r"[!-~]+").fullmatch


@dataclass(frozen=True, slots=True)
class Connection:
    """A service to ask."""

    url: str
    api_key: str | None = field(default=None, repr=False)
    timeout: float = 30.0
    retry: Retry = field(default_factory=Retry)

    def __post_init__(self) -> None:
        """Refuse what cannot be asked, without repeating a key.

        Raises:
            ValueError: the address is none, or the key cannot be sent.
        """
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url: {self.url} is not an http:// or https:// address")
        try:
            httpx.URL(self.url)
        except httpx.InvalidURL as error:
            raise ValueError(f"url: {self.url} is not an address: {error}") from error
        if self.api_key is not None and not _IS_PRINTABLE(self.api_key):
            raise ValueError("api_key: this is no key")

    @classmethod
    def of(cls, url: str | None, api_key: str | None, timeout: float, retry: Retry) -> "Connection":
        """What is named, or else what `KULLBACK_URL` and `KULLBACK_API_KEY` say."""
        environment = (os.environ[name] for name in _KEYS if os.environ.get(name))
        return cls(
            url or os.environ.get("KULLBACK_URL") or URL,
            next(environment, None) if api_key is None else api_key,
            timeout,
            retry,
        )

    @property
    def headers(self) -> Mapping[str, str]:
        """What every request carries."""
        agent = {"user-agent": f"kullback-client/{__version__} Python/{platform.python_version()}"}
        key = {} if self.api_key is None else {"authorization": f"Bearer {self.api_key}"}
        return {**agent, **key}

    def address(self, path: str) -> str:
        """Where a path of the service is."""
        return f"{self.url.rstrip('/')}{path}"

    def unreachable(self, error: httpx.HTTPError) -> Unreachable:
        """Why no answer came, in a sentence."""
        is_sent = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
        if isinstance(error, httpx.TimeoutException):
            sentence = f"{self.url} did not answer within {self.timeout:g} s"
            return Unreachable(sentence, is_sent=is_sent)
        is_unknown = "CERTIFICATE_VERIFY_FAILED" in str(error)
        hint = "\nSSL_CERT_FILE=cert.pem trusts a certificate of your own" if is_unknown else ""
        reason = str(error) or type(error).__name__
        return Unreachable(f"{self.url} cannot be reached: {reason}{hint}", is_sent=is_sent)
