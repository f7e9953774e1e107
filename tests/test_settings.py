"""The environment becomes one Settings, or a sentence about what is wrong with it."""

import os

import pytest
from pydantic import ValidationError
from starlette.routing import Route

from kullback.main import create_app
from kullback.setting_types import OWN_PATHS
from kullback.settings import Settings, unknown_variables


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


@pytest.mark.parametrize(
    ("written", "prefix"),
    [("", ""), ("/", ""), ("/kullback", "/kullback"), ("/a/b.c/", "/a/b.c")],
)
def test_a_prefix_ends_without_a_slash(written: str, prefix: str) -> None:
    assert Settings(root_path=written).root_path == prefix


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("", ""),
        ("https://kullback.example", "https://kullback.example"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
        ("https://example.com/scores/kullback/", "https://example.com/scores/kullback"),
    ],
)
def test_an_address_for_links_ends_without_a_slash(written: str, address: str) -> None:
    settings = Settings(public_url=written, grafana_url=written)
    assert (settings.public_url, settings.grafana_url) == (address, address)


def test_no_prefix_begins_as_a_path_of_the_service_does() -> None:
    routes = [route for route in create_app(Settings()).routes if isinstance(route, Route)]
    assert {route.path.split("/")[1] for route in routes} - {""} == OWN_PATHS


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
        ("TRUSTED_PROXIES", "*"),
        ("ROOT_PATH", "kullback"),
        ("ROOT_PATH", "https://example.com/kullback"),
        ("ROOT_PATH", "/a//b"),
        ("ROOT_PATH", "/a/../b"),
        ("ROOT_PATH", "/a?b"),
        ("ROOT_PATH", "/v1"),
        ("ROOT_PATH", "/metrics/kullback"),
        ("DOCUMENTATION_URL", "docs.example"),
        ("DOCUMENTATION_URL", "javascript:alert(1)"),
        ("DOCUMENTATION_URL", "https:///docs"),
        ("PUBLIC_URL", "kullback.example"),
        ("PUBLIC_URL", "javascript:alert(1)"),
        ("PUBLIC_URL", "https://user:password@kullback.example"),
        ("PUBLIC_URL", "https://kullback.example/?a=b"),
        ("PUBLIC_URL", "https://kullback.example/'; rm"),
        ("GRAFANA_URL", "grafana.example:3000"),
        ("GRAFANA_URL", "https:///d"),
        ("TRUSTED_PROXIES", "127.0.0.1, proxy"),
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
        ("ALLOWED_HOSTS", "http://kb.example"),
        ("ALLOWED_HOSTS", "localhost,kb.example:18443"),
        ("ALLOWED_HOSTS", "*.example"),
        ("ALLOWED_HOSTS", "::1"),  # a URL has it in brackets
        ("OIDC_JWKS", "http://id.example/keys"),
        ("OIDC_ISSUER", "https://id.example"),  # without the rest
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


def test_several_processes_are_refused_on_sqlite_with_the_alternative(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    with pytest.raises(ValidationError, match=r"2 processes need PostgreSQL \(KULLBACK_DATABASE_"):
        Settings()
    assert Settings(database_url="postgresql+psycopg://me@host/base").web_concurrency == 2


def test_one_process_is_what_a_platform_may_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "1")
    assert Settings().web_concurrency == 1


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("KULLBACK_MAX_BODY", "KULLBACK_MAX_BODY_MB"),
        ("KULLBACK_MAX_BODY_MD", "KULLBACK_MAX_BODY_MB"),
        ("KULLBACK_LOG_LEVLE", "KULLBACK_LOG_LEVEL"),
        ("kullback_wokers", "KULLBACK_WORKERS"),
        ("KULLBACK_DATABASEURL", "KULLBACK_DATABASE_URL"),
        ("KULLBACK_PROT", "KULLBACK_PORT"),
        ("KULLBACK_HSOT", "KULLBACK_HOST"),
        ("KULLBACK_TLS_CERT", "KULLBACK_TLS_CERTIFICATE"),
        ("KULLBACK_PEPPER", "KULLBACK_PEPPER_FILE"),
        ("KULBACK_MAX_BODY_MB", "KULLBACK_MAX_BODY_MB"),
        ("KULLBAKC_PORT", "KULLBACK_PORT"),
        ("Kullbeck_Keys_File", "KULLBACK_KEYS_FILE"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_one_that_was_meant(
    name: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "opensesame")
    with pytest.raises(
        ValidationError, match=f"{name} is no setting; did you mean {meant}\\?"
    ) as error:
        Settings()
    assert "opensesame" not in str(error.value)


def test_no_setting_is_taken_for_a_misspelling_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"KULLBACK_{name.upper()}", "1")
    assert unknown_variables(os.environ) == []


def test_a_name_that_resembles_none_is_no_reason_not_to_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KULLBACK_COLOUR_OF_THE_DOOR", "green")
    for others in ("KUBERNETES_PORT", "KAFKA_HOST", "FULLBACK_PORT", "KULLBACK_LOG", "PORT"):
        monkeypatch.setenv(others, "1")
    Settings()
    assert unknown_variables(os.environ) == ["KULLBACK_COLOUR_OF_THE_DOOR", "KULLBACK_LOG"]


def test_what_kubernetes_sets_for_a_service_of_that_name_is_no_setting_that_was_meant() -> None:
    links = (
        "SERVICE_HOST SERVICE_PORT SERVICE_PORT_HTTP PORT_8000_TCP PORT_8000_TCP_ADDR "
        "PORT_8000_TCP_PORT PORT_8000_TCP_PROTO"
    )
    assert unknown_variables(f"KULLBACK_{link}" for link in links.split()) == []


def test_what_a_client_reads_is_no_setting_that_was_meant() -> None:
    assert unknown_variables(["KULLBACK_URL", "KULLBACK_API_KEY", "KULLBACK_KEY"]) == []
