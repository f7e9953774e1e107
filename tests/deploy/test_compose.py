"""docker-compose.yml starts a whole that fits together, on one machine, with nothing to guess."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, ConfigDict

from kullback.settings import Settings
from tests.deploy.files import COMPOSE, CONFIG, GRAFANA, ROOT

PASSWORD = "KULLBACK_DATABASE_PASSWORD"  # noqa: S105 - its name
KEPT = {
    "kullback": "/data",
    "database": "/var/lib/postgresql/data",
    "prometheus": "/prometheus",
    "grafana": "/var/lib/grafana",
}


class Service(BaseModel):
    """What the tests ask of a service."""

    model_config = ConfigDict(extra="ignore")

    image: str
    ports: list[str] = []
    volumes: list[str] = []
    environment: dict[str, str] = {}
    profiles: list[str] = []
    depends_on: dict[str, dict[str, str | bool]] = {}
    cap_drop: list[str]
    security_opt: list[str]
    mem_limit: str
    pids_limit: int
    healthcheck: dict[str, int | str | list[str]]


def services() -> dict[str, Service]:
    composed = yaml.safe_load(COMPOSE.read_text())["services"]
    return {name: Service.model_validate(service) for name, service in composed.items()}


SERVICES = services()
every_service = pytest.mark.parametrize("name", SERVICES)


def interpolated(text: str, password: str) -> str:
    """A value as compose puts the password into it, or what stands for none."""
    return re.sub(
        rf"\${{{PASSWORD}:([+-])([^}}]*)}}",
        lambda use: (password or use[2]) if use[1] == "-" else (use[2] if password else ""),
        text,
    )


def offences(document: str, directory: Path) -> str:
    """What the schema of compose files has against one."""
    file = directory / COMPOSE.name
    file.write_text(document)
    tool = Path(sys.executable).with_name("check-jsonschema")
    result = subprocess.run(  # noqa: S603 - the checker of our own environment
        [tool, "--builtin-schema", "vendor.compose-spec", file],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if result.returncode == 0 else result.stdout


def test_the_file_is_as_the_schema_of_compose_says(tmp_path: Path) -> None:
    assert offences(COMPOSE.read_text(), tmp_path) == ""


@pytest.mark.parametrize(
    ("written", "planted"),
    [
        ("mem_limit:", "mem_limits:"),
        ("read_only: true", "read_only: {}"),
        ("CMD, curl", "{}, curl"),
    ],
)
def test_what_compose_would_refuse_is_seen(written: str, planted: str, tmp_path: Path) -> None:
    text = COMPOSE.read_text()
    assert written in text
    assert offences(text.replace(written, planted, 1), tmp_path) != ""


def test_the_service_stands_alone_unless_all_is_asked_for() -> None:
    assert {name: service.profiles for name, service in SERVICES.items()} == {
        "kullback": [],
        "database": ["full"],
        "prometheus": ["full"],
        "grafana": ["full"],
    }


def test_no_password_is_wanted_and_none_has_a_default() -> None:
    uses = re.findall(rf"\${{{PASSWORD}([^}}]*)", COMPOSE.read_text())
    assert [use for use in uses if "?" in use] == []
    assert interpolated(SERVICES["database"].environment["POSTGRES_PASSWORD"], "") == ""


@pytest.mark.parametrize(
    ("password", "url"),
    [
        ("", "sqlite:////data/kullback.db"),
        ("secret", "postgresql+psycopg://kullback:secret@database/kullback"),
    ],
)
def test_a_password_is_what_chooses_postgresql(
    password: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = interpolated(SERVICES["kullback"].environment["KULLBACK_DATABASE_URL"], password)
    monkeypatch.setenv("KULLBACK_DATABASE_URL", given)
    assert Settings().database_url == url


@every_service
def test_an_image_is_pinned_to_a_version(name: str) -> None:
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+(\.\d+)?", SERVICES[name].image)


@every_service
def test_a_port_is_bound_to_this_machine(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].ports)


def test_the_database_is_not_published_at_all() -> None:
    assert SERVICES["database"].ports == []


@every_service
def test_a_service_has_a_health_check_and_no_privileges(name: str) -> None:
    assert SERVICES[name].healthcheck["test"]
    assert SERVICES[name].cap_drop == ["ALL"]
    assert SERVICES[name].security_opt == ["no-new-privileges:true"]
    assert SERVICES[name].mem_limit in {"512m", "1g"}
    assert 0 < SERVICES[name].pids_limit <= 256


def test_services_start_after_what_they_need() -> None:
    needs = {
        (name, needed, how["condition"], how.get("required", True))
        for name, service in SERVICES.items()
        for needed, how in service.depends_on.items()
    }
    assert needs == {
        ("kullback", "database", "service_healthy", False),
        ("prometheus", "kullback", "service_started", True),
        ("grafana", "prometheus", "service_healthy", True),
    }


def test_data_lives_in_named_volumes() -> None:
    declared = yaml.safe_load(COMPOSE.read_text())["volumes"]
    assert declared.keys() == KEPT.keys()
    for name, place in KEPT.items():
        assert f"{name}:{place}" in SERVICES[name].volumes


@every_service
def test_a_bind_mount_is_read_only_and_of_a_file_we_ship(name: str) -> None:
    binds = [volume for volume in SERVICES[name].volumes if volume.startswith(".")]
    for source, _, mode in (bind.split(":") for bind in binds):
        assert mode == "ro"
        assert (ROOT / source).is_dir()


def test_prometheus_asks_the_service_by_its_name_in_compose() -> None:
    for job in yaml.safe_load(CONFIG.read_text())["scrape_configs"]:
        for found in job.get("dns_sd_configs", []):
            assert set(found["names"]) <= SERVICES.keys()


def test_grafana_asks_prometheus_where_it_listens() -> None:
    provisioned = GRAFANA / "provisioning" / "datasources" / "prometheus.yml"
    (source,) = yaml.safe_load(provisioned.read_text())["datasources"]
    (port,) = SERVICES["prometheus"].ports
    assert source["url"] == f"http://prometheus:{port.split(':')[-1]}"


def test_grafana_finds_the_dashboards_where_they_are_mounted() -> None:
    provisioned = GRAFANA / "provisioning" / "dashboards" / "kullback.yml"
    (provider,) = yaml.safe_load(provisioned.read_text())["providers"]
    place = provider["options"]["path"]
    grafana = SERVICES["grafana"]
    assert f"./deploy/grafana/dashboards:{place}:ro" in grafana.volumes
    home = grafana.environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (GRAFANA / "dashboards" / Path(home).relative_to(place)).is_file()


def test_grafana_shows_to_everyone_and_lets_no_one_in() -> None:
    settings = SERVICES["grafana"].environment
    assert settings["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert settings["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert not any("PASSWORD" in key for key in settings)
