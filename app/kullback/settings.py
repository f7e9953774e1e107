"""Settings of the service: the environment variables KULLBACK_*."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

LogFormat = Literal["json", "text"]
LogLevel = Literal["debug", "info", "warning", "error"]


def _alone(processes: int) -> int:
    if processes != 1:
        raise ValueError(
            "Kullback is one process: start one per port behind a load balancer "
            "and let Prometheus scrape each of them"
        )
    return processes


class Settings(BaseSettings):
    """What can be set from outside; the same everywhere, fixed once it is read."""

    model_config = SettingsConfigDict(
        env_prefix="KULLBACK_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    host: str = Field(default="127.0.0.1", min_length=1, description="The address to listen on.")
    port: int = Field(
        default=8000, ge=0, le=65535, description="The port to listen on; 0 takes any that is free."
    )
    database_url: str = Field(
        default="sqlite:///kullback.db",
        pattern=r"^(sqlite:///|postgresql\+psycopg://).+",
        repr=False,  # it may hold a password
        description=(
            "Where monitors are kept: sqlite:///FILE for one process, or "
            "postgresql+psycopg://USER:PASSWORD@HOST/NAME for as many as there are."
        ),
    )
    log_format: LogFormat = Field(
        default="json",
        description="How a log line is written: json to be collected, text to be read.",
    )
    log_level: LogLevel = Field(
        default="info",
        description="The least grave lines to log; at info there is one per request.",
    )
    max_body_mb: int = Field(
        default=64, ge=1, description="The largest body in MiB, as sent and as decompressed."
    )
    workers: int = Field(
        default=2,
        ge=1,
        le=256,
        description="Threads that score large bodies; monitors have as many of their own.",
    )
    queue: int = Field(
        default=16,
        ge=0,
        description="Large bodies to be scored that may wait for a thread; one more answers 503.",
    )
    inflight_mb: int = Field(
        default=256,
        ge=1,
        description=(
            "MiB of bodies held at once, once for scores and once for monitors; one beyond it "
            "answers 503."
        ),
    )
    inline_kb: int = Field(
        default=64, ge=0, description="Bodies of up to as many KiB are scored on the event loop."
    )
    web_concurrency: Annotated[int, AfterValidator(_alone)] = Field(
        default=1,
        validation_alias="WEB_CONCURRENCY",
        description="Server processes, as hosting platforms name it. Only 1 is accepted.",
    )
