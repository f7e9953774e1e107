"""The dashboards load anywhere, explain themselves, and ask what Prometheus can answer."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from tests.deploy.expressions import Panel, Variables, expressions, queries, read
from tests.deploy.families import strangers
from tests.deploy.files import CONFIG, DASHBOARDS, GRAFANA, promtool

SOURCE = {"type": "prometheus", "uid": "${DS_PROMETHEUS}"}
OUTCOMES = {"written", "replayed", "refused", "failed"}  # a legend shows this label as it is
LABELS = {"slice", "arm", "verdict", "monitor", "check"}  # that tables have columns of
every_dashboard = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


def nodes(value: object) -> Iterator[dict[str, object]]:
    """Every object of a document, at any depth."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from nodes(item)


def document(path: Path) -> object:
    parsed: object = json.loads(path.read_text())
    return parsed


def panels(path: Path) -> list[Panel]:
    """The panels that show something."""
    return [panel for panel in read(path)["panels"] if panel["type"] != "row"]


def cells(panel: Panel) -> set[tuple[int, int]]:
    at = panel["gridPos"]
    return {
        (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    }


def variable_names(path: Path) -> set[str]:
    return {variable["name"] for variable in read(path)["templating"]["list"]}


def test_there_are_dashboards_of_all_monitors_of_each_of_experiments_and_of_the_service() -> None:
    assert [path.stem for path in DASHBOARDS] == ["experiments", "fleet", "monitor", "service"]


def test_dashboards_have_uids_and_titles_of_their_own() -> None:
    boards = [read(path) for path in DASHBOARDS]
    assert len({board["uid"] for board in boards}) == len({board["title"] for board in boards}) == 4


@every_dashboard
def test_a_dashboard_is_in_the_model_that_grafana_10_to_13_load(path: Path) -> None:
    board = read(path)
    assert board["id"] is None
    assert 36 <= board["schemaVersion"] <= 39


@every_dashboard
def test_the_data_source_is_always_the_chosen_one(path: Path) -> None:
    (chooser,) = [
        variable
        for variable in read(path)["templating"]["list"]
        if variable["name"] == "DS_PROMETHEUS"
    ]
    assert chooser["type"] == "datasource"
    sources = [node["datasource"] for node in nodes(document(path)) if "datasource" in node]
    assert len(sources) > len(panels(path))
    assert [source for source in sources if source != SOURCE] == []


@every_dashboard
def test_every_panel_has_a_title_a_description_and_a_unit(path: Path) -> None:
    for panel in panels(path):
        assert panel["title"]
        assert panel.get("description", "").endswith("."), panel["title"]
        assert any(node.get("unit") for node in nodes(panel)), panel["title"]


@every_dashboard
def test_no_two_panels_share_an_id(path: Path) -> None:
    ids = [panel["id"] for panel in read(path)["panels"]]
    assert len(ids) == len(set(ids))


@every_dashboard
def test_panels_fill_24_columns_at_most_and_do_not_overlap(path: Path) -> None:
    every = read(path)["panels"]
    assert all(0 <= x < 24 and y >= 0 for panel in every for x, y in cells(panel))
    for one, other in combinations(every, 2):
        assert not cells(one) & cells(other), (one["title"], other["title"])


@every_dashboard
def test_every_rate_is_over_the_interval_grafana_works_out(path: Path) -> None:
    for _, target in queries(path):
        expression = target["expr"]
        ranges = re.findall(r"\[([^]]*)\]", expression)
        assert len(ranges) == len(re.findall(r"\b(?:rate|increase)\(", expression))
        assert set(ranges) <= {"$__rate_interval", "$__range"}
        assert not re.search(r"\brate\([^[]*\[\$__range\]", expression)


@every_dashboard
def test_no_two_queries_of_a_panel_share_a_letter(path: Path) -> None:
    letters = [(panel["id"], target["refId"]) for panel, target in queries(path)]
    assert len(letters) == len(set(letters))


@every_dashboard
def test_what_is_styled_or_renamed_by_name_exists(path: Path) -> None:
    for panel in panels(path):
        targets = panel.get("targets", [])
        renamed = [node["renameByName"] for node in nodes(panel) if "renameByName" in node]
        names = {target.get("legendFormat") for target in targets}
        names |= {new for table in renamed if isinstance(table, dict) for new in table.values()}
        styled = {node["options"] for node in nodes(panel) if node.get("id") == "byName"}
        assert styled <= names | OUTCOMES, panel["title"]
        for old in (old for table in renamed if isinstance(table, dict) for old in table):
            assert old.removeprefix("Value #") in LABELS | {item["refId"] for item in targets}


@every_dashboard
def test_every_variable_in_use_is_declared_and_every_declared_one_in_use(path: Path) -> None:
    declared = variable_names(path)
    used = set(re.findall(r"\$\{?([A-Za-z]\w*)", path.read_text()))
    assert used == declared


@every_dashboard
def test_times_are_utc_and_a_link_leads_to_the_pages(path: Path) -> None:
    everything = list(nodes(document(path)))
    assert everything[0]["timezone"] == "utc"
    (pages,) = (each for each in everything if each.get("name") == "pages")
    assert (pages["type"], pages["query"]) == ("constant", "http://127.0.0.1:8000")
    (link,) = (str(each["url"]) for each in everything if each.get("type") == "link")
    place, _, query = link.removeprefix("${pages}").partition("?")
    name = path.stem.removesuffix("s")
    assert place in {"/", f"/{name}s/${{{name}}}"}
    assert query in {"", "from=${__from:date:iso}&to=${__to:date:iso}"}


def test_the_worst_monitors_come_first_and_lead_to_board_and_page() -> None:
    (fleet,) = (path for path in DASHBOARDS if path.stem == "fleet")
    everything = list(nodes(document(fleet)))
    (table,) = (each for each in everything if each.get("title") == "Monitors, worst first")
    inside = list(nodes(table))
    (order,) = (each["sortBy"] for each in inside if "sortBy" in each)
    assert next(nodes(order)) == {"desc": True, "displayName": "State"}
    links = [str(each["url"]).partition("?")[0] for each in inside if "url" in each]
    assert links == ["/d/kullback-monitor", "${pages}/monitors/${__value.raw}"]


@every_dashboard
def test_every_query_reads_only_series_that_exist(path: Path) -> None:
    board = read(path)
    lists = [variable.get("definition", "") for variable in board["templating"]["list"]]
    asked = [re.sub(r"label_values\((.*), \w+\)", r"\1", text) for text in lists if text]
    asked += [annotation["expr"] for annotation in board["annotations"]["list"]]
    asked += [target["expr"] for _, target in queries(path)]
    for expression in asked:
        assert strangers(expression) == [], expression


def test_no_variable_is_left_in_an_expression() -> None:
    texts = [expression.text for expression in expressions(Variables(monitor="ctr-2"))]
    assert len(texts) > 60
    assert [text for text in texts if "$" in text] == []
    assert any('monitor="ctr-2"' in text for text in texts)


def test_expressions_that_look_back_are_marked() -> None:
    marked = {expression.panel for expression in expressions() if expression.needs_past}
    assert marked == {"Log loss and its past", "Predictions and labels"}


def test_promtool_parses_every_expression(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{expression.dashboard}:{at}", "expr": expression.text}
        for at, expression in enumerate(expressions())
    ]
    path = tmp_path / "expressions.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "expressions", "rules": rules}]}))
    result = promtool("check", "rules", path)
    assert result.returncode == 0, result.stderr
    assert f"{len(rules)} rules found" in result.stdout


def test_the_data_source_knows_how_often_prometheus_scrapes() -> None:
    provisioned = GRAFANA / "provisioning" / "datasources" / "prometheus.yml"
    (source,) = yaml.safe_load(provisioned.read_text())["datasources"]
    scraped = yaml.safe_load(CONFIG.read_text())["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scraped
