"""`kullback keys` works on the database, on a file, and by a service that has the database open."""

import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import httpx
import pytest
from typer.testing import CliRunner, Result

from kullback.access.keys import NO_ADMIN, SCOPES
from kullback.cli import app
from tests.access.service import bearer
from tests.connections.test_tls import made
from tests.serving import SERVE, Served, serving

SCORE = {"p": [0.5, 0.5]}


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/kullback.db"
    monkeypatch.setenv("KULLBACK_DATABASE_URL", url)
    for variable in ("KULLBACK_API_KEY", "KULLBACK_KEY"):
        monkeypatch.delenv(variable, raising=False)
    return url


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["keys", *words])


def create(*words: str, place: tuple[str, ...] = ()) -> str:
    result = run(*place, "create", "test", *words)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def wait_until_logged(service: Served, text: str) -> None:
    end = monotonic() + 60
    while text not in service.log.read_text():
        assert monotonic() < end


def asked(service: Served, key: str, path: str = "/v1/monitors") -> int:
    return httpx.get(f"{service.address}{path}", headers=bearer(key), trust_env=False).status_code


def test_a_key_is_created_listed_rotated_and_revoked_in_the_database() -> None:
    key = create("--scope", "read", "--scope", "write", "--prefix", "team-a.", "--rate", "5")
    name = key[3:15]
    head, listed = run("list").stdout.splitlines()
    created = json.loads(run("list", "--json").stdout)["keys"][0]["created"]
    cells = [name, "read,write", '"team-a."', "5.0", created, "revoked", "-", "test"]
    assert re.split(" {2,}", listed) == cells
    titles = ["id", "scopes", "names", "a second", "created", "until", "old secrets until", "label"]
    assert re.split(" {2,}", head) == titles
    rotated = json.loads(run("rotate", name, "--overlap-hours", "0", "--json").stdout)
    assert rotated["key"] != key
    assert (rotated["id"], rotated["requests_per_second"]) == (name, 5.0)
    assert rotated["previous_secrets_expire"].endswith("Z")
    assert run("revoke", name).exit_code == 0
    (document,) = json.loads(run("list", "--json").stdout)["keys"]
    assert document["revoked"].endswith("Z")
    assert "key" not in document
    result = run("rotate", name)
    assert (result.exit_code, result.stderr) == (1, f"{name} is revoked: create another\n")


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e308"])
@pytest.mark.parametrize(
    "words",
    [
        ("create", "x", "--scope", "read", "--expires-days"),
        ("rotate", "000000000000", "--overlap-hours"),
    ],
)
def test_what_is_no_length_of_time_is_said_to_be_none(words: tuple[str, ...], number: str) -> None:
    result = run(*words, number)
    said = f"{words[-1]}: {float(number):g} is no length of time\n"
    assert (result.exit_code, result.stderr) == (2, said)


def test_the_text_of_a_key_is_all_that_a_script_reads(tmp_path: Path) -> None:
    result = run("create", "test", "--scope", "read")
    assert result.stdout.startswith("kb_")
    assert result.stdout.count("\n") == 1
    assert "not shown again" in result.stderr
    assert f"the key is kept in {tmp_path}/kullback.db" in result.stderr


@pytest.mark.parametrize("words", [("list",), ("revoke", "0" * 12), ("rotate", "0" * 12)])
def test_a_database_that_is_not_there_is_not_made(tmp_path: Path, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"no database at {tmp_path}/kullback.db\n"
    assert list(tmp_path.iterdir()) == []


def test_no_keys_are_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "kullback.db").touch()
    result = run("list")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "there are no keys\n")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("create", "x", "--scope", "root"), "scopes/0"),
        (("create", "x", "--scope", "read", "--prefix", "team"), "ends in"),
        (("create", "x", "--scope", "admin", "--prefix", "team."), "can make keys without"),
        (("create", "x", "--scope", "read", "--rate", "0"), "greater than or equal to 0.001"),
        (("revoke", "000000000000"), "no key has this id"),
    ],
)
def test_what_cannot_be_is_one_line_and_a_failure(words: tuple[str, ...], reason: str) -> None:
    create("--scope", "read")
    result = run(*words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert reason in result.stderr
    assert "Traceback" not in result.output


def test_who_revokes_the_last_key_of_an_administrator_is_warned(url: str, tmp_path: Path) -> None:
    first, second = create("--scope", "admin"), create("--scope", "admin", "--scope", "read")
    create("--scope", "read")
    with serving(KULLBACK_DATABASE_URL=url) as service:
        place = ("--url", service.address, "--key", first)
        assert run(*place, "revoke", second[3:15]).exit_code == 0
        assert NO_ADMIN not in service.log.read_text()
        assert run(*place, "revoke", first[3:15]).exit_code == 0
        wait_until_logged(service, NO_ADMIN)
    with serving(KULLBACK_DATABASE_URL=url) as service:
        wait_until_logged(service, NO_ADMIN)
    third = create("--scope", "admin")
    assert run("revoke", third[3:15]).stderr == f"{NO_ADMIN}\n"
    file = ("--file", str(tmp_path / "keys.json"))
    in_file = create("--scope", "admin", place=file)
    assert run(*file, "revoke", in_file[3:15]).stderr == ""  # a file needs none


@pytest.mark.parametrize("command", ["revoke", "rotate"])
@pytest.mark.parametrize("place", [(), ("--url", "http://127.0.0.1:9")])
def test_a_whole_key_is_no_id_and_is_neither_sent_nor_repeated(
    command: str, place: tuple[str, ...]
) -> None:
    result = run(*place, command, create("--scope", "read"))
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "its id is the second part, kb_<id>_…" in result.stderr


def test_a_file_of_keys_is_for_its_owner_and_is_never_half_written(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    keys = [create("--scope", "read", place=("--file", str(file))) for _ in range(2)]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each["id"] for each in json.loads(file.read_text())] == [key[3:15] for key in keys]
    assert all(key[16:] not in file.read_text() for key in keys)
    run("--file", str(file), "revoke", keys[0][3:15])
    with serving(KULLBACK_KEYS_FILE=str(file)) as service:
        assert [asked(service, key) for key in ("kb_no", *keys)] == [401, 401, 200]


def test_whoever_could_read_a_file_of_keys_still_can_once_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, link = tmp_path / "keys.json", tmp_path / "link.json"
    link.symlink_to(file)
    create("--scope", "read", place=("--file", str(file)))
    file.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(file, 65532, 65533)
    before, synchronized = file.stat(), list[int]()
    monkeypatch.setattr(os, "fsync", lambda number: synchronized.append(os.fstat(number).st_ino))
    create("--scope", "read", place=("--file", str(link)))
    after = file.stat()
    assert len(json.loads(file.read_text())) == 2
    assert link.is_symlink()
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid)
    assert after.st_gid == before.st_gid
    assert synchronized == [after.st_ino, tmp_path.stat().st_ino]


def test_keys_are_in_the_file_that_the_service_reads_unless_another_place_is_named(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, other = tmp_path / "keys.json", tmp_path / "other.json"
    monkeypatch.setenv("KULLBACK_KEYS_FILE", str(file))
    keys = [
        create("--scope", "read", place=place)
        for place in ((), ("--file", str(other)), ("--database-url", url))
    ]
    listed = [
        json.loads(run(*place, "list", "--json").stdout)["keys"]
        for place in (("--file", str(file)), ("--file", str(other)), ("--database-url", url))
    ]
    assert [[each["id"] for each in place] for place in listed] == [[key[3:15]] for key in keys]


def test_a_service_that_runs_takes_its_keys_over_http(url: str) -> None:
    admin = create("--scope", "admin", "--scope", "read")
    with serving(KULLBACK_DATABASE_URL=url) as service:
        result = run("create", "test", "--scope", "read")
        assert result.exit_code == 2
        assert "is open in another process" in result.stderr
        assert "stop it to make the first key" in result.stderr
        assert "--url with a key of the scope admin" in result.stderr
        place = ("--url", service.address, "--key", admin)
        key = create("--scope", "read", place=place)
        assert asked(service, key) == 200
        rotated = run(*place, "rotate", key[3:15], "--overlap-hours", "0").stdout.strip()
        assert [asked(service, each) for each in (key, rotated)] == [401, 200]
        assert run(*place, "revoke", key[3:15]).exit_code == 0
        assert asked(service, rotated) == 401
        listed = run(*place, "list").stdout.splitlines()
        assert [line.split()[0] for line in listed] == ["id", admin[3:15], key[3:15]]
        result = run("--url", service.address, "--key", key, "list")
        assert result.exit_code == 1
        assert "this key is revoked" in result.stderr


@pytest.mark.parametrize("key", ["", "kb_\n", "\u20ac"])
def test_a_key_that_cannot_be_sent_is_not_repeated(key: str) -> None:
    result = run("--url", "http://127.0.0.1:9", "--key", key, "list")
    assert (result.exit_code, result.stderr) == (2, "--key: this is no key\n")


def test_scores_are_asked_for_with_a_key(url: str, tmp_path: Path) -> None:
    key, request = create("--scope", "score"), tmp_path / "request.json"
    request.write_text(json.dumps(SCORE))
    with serving(KULLBACK_DATABASE_URL=url) as service:
        words = ["score", "entropy", str(request), "--url", service.address]
        without = CliRunner().invoke(app, words)
        assert (without.exit_code, without.stderr) == (
            1,
            "a key is needed: --key or KULLBACK_API_KEY\n",
        )
        for result in (
            CliRunner().invoke(app, [*words, "--key", key]),
            CliRunner().invoke(app, words, env={"KULLBACK_API_KEY": key}),
            CliRunner().invoke(app, words, env={"KULLBACK_KEY": key}),
        ):
            assert json.loads(result.stdout)["n"] == 1


@pytest.fixture
def flood(url: str) -> Iterator[tuple[Served, list[str]]]:
    """A service that logs all it can, and its keys."""
    keys = [create(*(f"--scope={scope}" for scope in SCOPES)), create("--scope", "read")]
    with serving(*SERVE, "--log-level", "debug", KULLBACK_DATABASE_URL=url) as service:
        yield service, keys


def test_no_secret_is_in_a_log_an_error_a_page_or_a_metric(
    flood: tuple[Served, list[str]],
) -> None:
    service, (admin, reader) = flood
    with httpx.Client(base_url=service.address, trust_env=False) as client:
        answer = client.post(
            "/v1/keys", headers=bearer(admin), json={"label": "x", "scopes": ["read"]}
        )
        keys = [admin, reader, answer.json()["key"]]
        texts = []
        for key in keys:
            for path in (f"/v1/keys/{key}", "/v1/keys", "/", "/metrics", f"/monitors/{key}"):
                texts.append(client.get(path, headers=bearer(key), params={"key": key}).text)
                texts.append(client.delete(path, headers=bearer(key)).text)
                texts.append(client.get(path, headers={"authorization": f"Basic {key}"}).text)
                texts.append(client.get(path, headers=bearer(f"{key}x")).text)
    log, end = "", monotonic() + 60
    while not all(key[3:15] in log for key in keys):  # whose key it was is said, a little later
        assert monotonic() < end
        log = service.log.read_text()
    assert log.count("access refused") >= 3
    for key in keys:
        assert key[16:] not in log
        assert all(key[16:] not in text for text in texts)


def test_a_certificate_of_ones_own_is_trusted_as_the_refusal_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = made(tmp_path, "own")
    options = ("--tls-certificate", str(pair.certificate), "--tls-key", str(pair.key))
    with serving(*SERVE, *options) as service:
        place = ("--url", service.address, "--key", "kb_x")
        result = run(*place, "list")
        assert (result.exit_code, "SSL_CERT_FILE=cert.pem" in result.stderr) == (3, True)
        monkeypatch.setenv("SSL_CERT_FILE", str(pair.certificate))
        assert "there are no keys yet" in run(*place, "list").stderr
