"""Settings of the service: the environment variables KULLBACK_*."""

import os
import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kullback.connections.limits import ConnectionLimits
from kullback.setting_types import HostNames, Networks, PathPrefix, WebAddress

PREFIX = "KULLBACK_"
# What Kubernetes sets beside a service that is called kullback, and what a client reads.
_IS_OTHERS = re.compile(r"(API_)?KEY|URL|SERVICE_(HOST|PORT.*)|PORT_\d+_[A-Z]+(_.*)?").fullmatch

LogFormat = Literal["json", "text"]
LogLevel = Literal["debug", "info", "warning", "error"]
LEAST_PEPPER = 16
LIMITS = ConnectionLimits()


class Settings(BaseSettings):
    """What can be set from outside; the same everywhere, fixed once it is read."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(
        default=8000, ge=0, le=65535, description="Port to listen on; 0 takes any that is free."
    )
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description=(
            "Port for /metrics and the probes alone, which asks for no key and answers under any "
            "load; /metrics is then not on the other port. Of several processes each has its own: "
            "this one and those behind it, or, unset, those behind the other port."
        ),
    )
    metrics_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description=(
            "Address that the port for metrics listens on: whoever reaches it sees every name "
            "without a key."
        ),
    )
    database_url: str = Field(
        default="sqlite:///kullback.db",
        pattern=r"^(sqlite:///|postgresql\+psycopg://).+",
        repr=False,  # it may hold a password
        description=(
            "Database of monitors and experiments: sqlite:///FILE for one process, or "
            "postgresql+psycopg://USER:PASSWORD@HOST/NAME for any number of them."
        ),
    )
    log_format: LogFormat = Field(
        default="json", description="Format of a log line: json for programs, text for people."
    )
    log_level: LogLevel = Field(
        default="info", description="Minimum level that is logged; info has one line per request."
    )
    log_lines_per_second: int = Field(
        default=100,
        ge=0,
        description=(
            "Lines a second for each kind of event, such as requests with one status; beyond it "
            "one in 100 is written. Errors are always written."
        ),
    )
    max_body_mb: int = Field(
        default=64, ge=1, description="Largest body in MiB, as sent and as decompressed."
    )
    workers: int = Field(
        default=2,
        ge=1,
        le=256,
        description=(
            "Threads that score large bodies; as many again read batches of monitors and "
            "experiments, and as many make reports."
        ),
    )
    queue: int = Field(
        default=16,
        ge=0,
        description=(
            "Large bodies that may wait, unread, for up to ten seconds when many come at once; "
            "others wait for a quarter of a second before they are answered 503."
        ),
    )
    inflight_mb: int = Field(
        default=256,
        ge=1,
        description=(
            "MiB of bodies in memory at once, as they came and as they inflate, counted apart for "
            "scores and for the store; a body beyond it is answered 503."
        ),
    )
    tls_certificate: Path | None = Field(
        default=None,
        description="PEM file of a certificate and its chain; with its key, HTTPS is served.",
    )
    tls_key: Path | None = Field(
        default=None, description="PEM file of the certificate's key, without a password."
    )
    connections: int = Field(
        default=LIMITS.connections,
        ge=1,
        description=(
            "Connections that may be open; one more closes the oldest that waits for a request."
        ),
    )
    body_seconds: float = Field(
        default=LIMITS.body_seconds,
        gt=0,
        le=3600,
        description="Seconds in which a whole body must be here; a later one is answered 408.",
    )
    inline_kb: int = Field(
        default=64, ge=0, description="Bodies of up to this many KiB are scored on the event loop."
    )
    grace_seconds: int = Field(
        default=20,
        ge=1,
        le=3600,
        description=(
            "Seconds to finish what was begun when a signal says to end; two more, and the process "
            "has ended."
        ),
    )
    keys_file: Path | None = Field(
        default=None,
        description=(
            "File of API keys, as `kullback keys --file` writes it, in place of those in the "
            "database."
        ),
    )
    pepper_file: Path | None = Field(
        default=None,
        description=(
            "File of a secret, of 16 bytes or more, without which nobody who can write the "
            "database can make a key."
        ),
    )
    allowed_hosts: HostNames = Field(
        default="",
        description=(
            "Hosts that requests may name, without port, separated by commas, or * for any; unset: "
            "those of this machine for what came by loopback, any for the rest."
        ),
    )
    root_path: PathPrefix = Field(
        default="",
        description="Prefix of this behind a proxy, as /kullback, which it may take away or leave.",
    )
    documentation_url: str = Field(
        default="",
        pattern=r"^(https?://[^/].*)?$",
        description="Address of the documentation (`make docs`), which pages then link.",
    )
    public_url: WebAddress = Field(
        default="",
        description=(
            "Address of this service as people reach it, for links in texts that leave it; unset: "
            "that of each request."
        ),
    )
    grafana_url: WebAddress = Field(
        default="", description="Address of Grafana with the dashboards, which pages then link."
    )
    notice_file: Path | None = Field(
        default=None,
        description="File whose text all pages show at their head, while it is there.",
    )
    trusted_proxies: Networks = Field(
        default="",
        description=(
            "Addresses or networks of proxies, separated by commas, whose X-Forwarded-For and "
            "X-Forwarded-Proto say who asks; unset: nobody's."
        ),
    )
    oidc_issuer: str = Field(
        default="",
        description="Provider whose tokens are taken beside keys: their `iss`; extra `oidc`.",
    )
    oidc_audience: str = Field(default="", description="What its tokens are for: their `aud`.")
    oidc_jwks: str = Field(
        default="",
        pattern=r"^(https://.+|[^:]*)$",
        description="Its public keys: a file of a JWKS, or an https:// address of one.",
    )
    insecure_no_auth: bool = Field(
        default=False,
        description="Serve without keys on an address that others can reach.",
    )
    web_concurrency: int = Field(
        default=1,
        ge=1,
        le=256,
        validation_alias="WEB_CONCURRENCY",
        description=(
            "Processes that serve the port, one for each core, as hosting platforms name it; more "
            "than one need PostgreSQL."
        ),
    )

    @model_validator(mode="after")
    def _names_a_provider(self) -> Self:
        named = [bool(each) for each in (self.oidc_issuer, self.oidc_audience, self.oidc_jwks)]
        if any(named) and not all(named):
            raise ValueError("oidc_issuer, oidc_audience and oidc_jwks go together")
        return self

    @model_validator(mode="after")
    def _has_a_store_for_all(self) -> Self:
        if self.web_concurrency > 1 and self.database_url.startswith("sqlite:"):
            raise ValueError(
                f"{self.web_concurrency} processes need PostgreSQL "
                f"({PREFIX}DATABASE_URL=postgresql+psycopg://...): a SQLite file is of one process"
            )
        return self

    @model_validator(mode="after")
    def _is_spelled_right(self) -> Self:
        """Refuse what is nearly the name of a setting: a limit not set protects nobody."""
        for name in unknown_variables(os.environ):
            nearest = _nearest(name.upper().partition("_")[2])
            if nearest:
                raise ValueError(f"{name} is no setting; did you mean {PREFIX}{nearest[0]}?")
        return self

    def hosts(self) -> frozenset[str]:
        """Hosts that are allowed by name."""
        names = (name.strip().lower() for name in self.allowed_hosts.split(","))
        return frozenset(filter(None, names))

    def pepper(self) -> bytes:
        """The secret that digests of keys are keyed by; empty where none is set.

        Raises:
            ValueError: its file cannot be read, or holds less than a secret.
        """
        if self.pepper_file is None:
            return b""
        try:
            pepper = self.pepper_file.read_bytes().strip()
        except OSError as error:
            raise ValueError(f"{self.pepper_file} cannot be read: {error.strerror}") from error
        if len(pepper) < LEAST_PEPPER:
            raise ValueError(f"{self.pepper_file} holds less than {LEAST_PEPPER} bytes")
        return pepper


def unknown_variables(environment: Iterable[str]) -> list[str]:
    """The names among these that begin as a setting does, and are none; or that nearly begin so."""
    unknown = list[str]()
    for name in environment:
        word, _, rest = name.upper().partition("_")
        is_setting = rest.lower() in Settings.model_fields
        if f"{word}_" == PREFIX:
            is_unknown = not is_setting and not _IS_OTHERS(rest)
        else:
            is_unknown = is_setting and word[:1] == PREFIX[0] and _is_near(f"{word}_")
        if is_unknown:
            unknown.append(name)
    return sorted(unknown)


def _is_near(prefix: str) -> bool:
    return bool(get_close_matches(prefix, [PREFIX], 1, 0.85))


def _nearest(name: str) -> list[str]:
    """Settings that a name may mean: it is similar, has two letters swapped, or is cut short."""
    settings = [field.upper() for field in Settings.model_fields]
    swapped = {f"{name[:i]}{name[i : i + 2][::-1]}{name[i + 2 :]}" for i in range(len(name))}
    return [
        *get_close_matches(name, settings, 1, 0.8),
        *(each for each in settings if each in swapped),
        *(each for each in settings if each.startswith(name) and len(each) <= 2 * len(name)),
    ]
