"""The environment becomes one Settings, or a sentence about what is wrong with it."""

import pytest
from pydantic import ValidationError

from kullback.settings import Settings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"KULLBACK_{name.upper()}", raising=False)
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)


def test_nothing_has_to_be_set() -> None:
    settings = Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.database_url == "sqlite:///kullback.db"
    assert (settings.log_format, settings.log_level) == ("json", "info")
    assert (settings.max_body_mb, settings.inflight_mb, settings.inline_kb) == (64, 256, 64)
    assert (settings.workers, settings.queue) == (2, 16)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KULLBACK_PORT", "9000")
    monkeypatch.setenv("KULLBACK_LOG_FORMAT", "text")
    settings = Settings()
    assert (settings.port, settings.log_format) == (9000, "text")


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "65536"),
        ("PORT", "http"),
        ("HOST", ""),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
        ("MAX_BODY_MB", "0"),
        ("WORKERS", "0"),
        ("QUEUE", "-1"),
        ("INFLIGHT_MB", "0"),
        ("INLINE_KB", "-1"),
        ("DATABASE_URL", "mysql://root@host/base"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "postgresql://host/base"),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"KULLBACK_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


@pytest.mark.parametrize(
    "url", ["sqlite:///kullback.db", "sqlite:////data/k.db", "postgresql+psycopg://u@host/base"]
)
def test_both_kinds_of_database_are_accepted(url: str) -> None:
    assert Settings(database_url=url).database_url == url


def test_a_refused_password_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as refusal:
        Settings(database_url="mysql://me:opensesame@host/base")
    assert "opensesame" not in str(refusal.value)


def test_an_accepted_password_is_not_printed() -> None:
    settings = Settings(database_url="postgresql+psycopg://me:opensesame@host/base")
    assert "opensesame" not in repr(settings)


def test_several_processes_are_refused_with_the_alternative(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    with pytest.raises(ValidationError, match="start one per port behind a load balancer"):
        Settings()


def test_one_process_is_what_a_platform_may_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "1")
    assert Settings().web_concurrency == 1
