"""The playground shows each metric with its example, its answer, and calls that do the same."""

import ast
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import pytest
from httpx import AsyncClient

from kullback.numerics.reasons import Reason
from kullback.requests import REQUESTS
from kullback.scoring.catalog import METRICS
from kullback.scoring.metric import Example, Metric
from kullback.ui.playground import content
from kullback.ui.render import POLICY
from tests.monitoring.service import Document

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent.parent
HOSTILE = ("<script>alert(1)</script>", "\"q\" & 'r'", "x" * 64, "\u202eشريط")


class Page(HTMLParser):
    """What stands in each element that has an id, the links, and the tags with what they carry."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.by_id: dict[str, str] = {}
        self.text = ""
        self.rows: list[list[str]] = []
        self._last = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.append((tag, known))
        self._last = known.get("id") or ""
        if tag == "tr":
            self.rows.append([])
        if tag in {"th", "td"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._last = "" if tag != "br" else self._last

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._last:
            self.by_id[self._last] = self.by_id.get(self._last, "") + data
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()

    def known(self) -> Document:
        """What the script is told."""
        found: Document = json.loads(self.by_id["known"])
        return found


async def opened(client: AsyncClient, path: str, status: int = 200) -> Page:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-security-policy"] == POLICY
    return Page(answer.text)


async def test_every_metric_has_a_card_that_leads_to_its_page(client: AsyncClient) -> None:
    page = await opened(client, "/playground")
    links = [known.get("href") for tag, known in page.tags if tag == "a"]
    for metric in METRICS.values():
        assert f"playground/{metric.name}" in links
        assert metric.formula in page.text
        assert metric.summary in page.text


async def test_a_metric_is_told_as_the_catalog_does(client: AsyncClient) -> None:
    for name in METRICS:
        page, entry = await opened(client, f"/playground/{name}"), METRICS[name]
        for told in (entry.title, entry.summary, entry.formula, entry.unit, entry.range):
            assert told in page.text
        assert entry.example.explanation in page.text


async def test_the_text_to_edit_is_the_example(client: AsyncClient) -> None:
    for name in METRICS:
        page = await opened(client, f"/playground/{name}")
        assert json.loads(page.by_id["request"]) == METRICS[name].example.request
        (form,) = (known for tag, known in page.tags if tag == "form")
        assert form["action"] == f"../v1/scores/{name}"


async def test_the_answer_that_comes_with_the_page_is_the_services(client: AsyncClient) -> None:
    for name in METRICS:
        page = await opened(client, f"/playground/{name}")
        answer = await client.post(f"/v1/scores/{name}", json=METRICS[name].example.request)
        assert page.known()["answer"] == answer.json()


async def test_the_call_for_a_terminal_does_the_same(client: AsyncClient) -> None:
    for name in METRICS:
        page = await opened(client, f"/playground/{name}")
        program, address, _, header, _, body = shlex.split(page.by_id["curl"].replace("\\\n", ""))
        assert program == "curl"
        media_type = header.removeprefix("Content-Type: ")
        answer = await client.post(address, content=body, headers={"content-type": media_type})
        assert answer.json()["value"] == pytest.approx(METRICS[name].example.value)


async def test_the_call_in_python_does_the_same(client: AsyncClient) -> None:
    for name in METRICS:
        page = await opened(client, f"/playground/{name}")
        assigned = {
            node.targets[0].id: node.value
            for node in ast.parse(page.by_id["python"]).body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        assert ast.literal_eval(assigned["request"]) == METRICS[name].example.request
        assert ast.literal_eval(assigned["url"]) == f"http://kullback/v1/scores/{name}"


async def test_the_fields_are_those_a_request_may_have(client: AsyncClient) -> None:
    for name in METRICS:
        page = await opened(client, f"/playground/{name}")
        rows = {field: default for field, default, _ in page.rows[1:]}
        schema = REQUESTS[name].model_json_schema()
        assert list(rows) == list(schema["properties"])
        needed = {field for field, default in rows.items() if default == "needed"}
        assert needed == set(schema.get("required", ()))


async def test_nothing_on_a_page_runs_or_is_styled_in_line(client: AsyncClient) -> None:
    for name in METRICS:
        page = await opened(client, f"/playground/{name}")
        for tag, known in page.tags:
            assert tag != "style"
            assert not {one for one in known if one == "style" or one.startswith("on")}
            if tag == "script" and known.get("type") != "application/json":
                loaded = await client.get(f"/playground/{known['src']}")
                assert loaded.status_code == 200


@pytest.mark.parametrize("name", ["no-such", *HOSTILE])
async def test_an_unknown_metric_lists_those_there_are(name: str, client: AsyncClient) -> None:
    answer = await client.get(f"/playground/{name.replace('/', '%2F')}")
    assert answer.status_code == 404
    if "/" not in name:
        assert all(metric in Page(answer.text).text for metric in METRICS)


def test_names_in_an_example_are_text() -> None:
    request = {"y_true": list(HOSTILE), "labels": list(HOSTILE)}
    rows = [[float(row == column) for column in range(4)] for row in range(4)]
    example = Example(request | {"y_proba": rows}, 0.0, {}, HOSTILE[0])
    metric = Metric("log-loss", HOSTILE[0], HOSTILE[1], "f", "nats", "[0, ∞]", "lower", example)
    shown = content(metric, "http://kullback/")
    assert json.loads(str(shown["text"])) == example.request
    assert shlex.split(str(shown["curl"]))[-1] == shown["text"]


def test_the_calls_are_to_the_address_that_the_service_has() -> None:
    shown = content(METRICS["entropy"], "https://example.org/scores/")
    assert "https://example.org/scores/v1/scores/entropy" in str(shown["curl"])
    assert "https://example.org/scores/v1/scores/entropy" in str(shown["python"])


def test_every_reason_that_is_documented_has_words() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text()
    section = text.split("## Numbers that are not there")[1].split("\n## ")[0]
    heads = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    documented = {name for head in heads for name in re.findall(r"`(\w+)`", head)}
    assert documented <= set(Reason)
    assert all(reason.sentence for reason in Reason)


def test_every_reason_is_documented() -> None:
    pages = [ROOT / "docs" / f"{name}.md" for name in ("metrics", "monitors", "experiments")]
    text = "".join(page.read_text() for page in pages)
    assert [reason for reason in Reason if f"`{reason}`" not in text] == []
