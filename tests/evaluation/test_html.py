"""A report as one HTML file: whole, harmless, and with the numbers of the document."""

import math
import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest
from pydantic import TypeAdapter

from kullback.documents import to_json
from kullback.evaluation.html import page
from kullback.experiments import wording
from kullback.experiments.evaluation_report import EvaluationReport
from kullback.figures.intervals import wilson
from tests.experiments import documents
from tests.experiments.documents import HOSTILE

DOCUMENTS = documents.all_of_them()
VOID = {"meta", "link", "img", "br", "hr", "input"}
LOADING = {"src", "href", "srcset", "data", "action", "poster", "style", "xlink:href"}


@dataclass
class Element:
    """A tag with what is in it; `text` is all text inside."""

    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    own: list[str] = field(default_factory=list)

    def all(self, *tags: str) -> list["Element"]:
        found = [self] if self.tag in tags else []
        return found + [one for child in self.children for one in child.all(*tags)]

    @property
    def text(self) -> str:
        return " ".join(" ".join([*self.own, *(one.text for one in self.children)]).split())


class Reader(HTMLParser):
    """Reads a page as a tree and refuses tags that do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("document")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = Element(tag, dict(attrs))
        self.open[-1].children.append(found)
        if tag not in VOID:
            self.open.append(found)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].own.append(data)


def read(html: str) -> Element:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert len(reader.open) == 1
    return reader.root


PAGES = {name: read(page(document)) for name, document in DOCUMENTS.items()}
DIGITS = 5e-4  # tables have four
EVERY = pytest.mark.parametrize("name", PAGES)


def rows(table: Element) -> list[list[str]]:
    return [[cell.text for cell in row.all("th", "td")] for row in table.all("tr")]


def captioned(root: Element, start: str) -> list[list[str]]:
    tables = [one for one in root.all("table") if one.all("caption")[0].text.startswith(start)]
    return rows(tables[0])


@EVERY
def test_a_page_needs_nothing_from_elsewhere_and_runs_nothing(name: str) -> None:
    root = PAGES[name]
    assert root.all("script", "link", "iframe", "object", "embed", "img", "base", "form") == []
    for element in root.all(*{one.tag for one in walk(root)}):
        assert not LOADING & element.attributes.keys()
        assert not [one for one in element.attributes if one.startswith("on")]
    (style,) = root.all("style")
    assert not re.search(r"url\(|@import|@font-face", style.text)


def walk(element: Element) -> list[Element]:
    return [element, *(one for child in element.children for one in walk(child))]


@EVERY
def test_every_figure_has_a_caption_a_described_picture_and_its_numbers(name: str) -> None:
    for figure in PAGES[name].all("figure"):
        (caption,) = figure.all("figcaption")
        assert caption.text
        (picture,) = figure.all("svg")
        assert picture.attributes["role"] == "img"
        assert [one.tag for one in picture.children[:2]] == ["title", "desc"]
        (hidden,) = figure.all("details")
        (table,) = hidden.all("table")
        assert len(rows(table)) >= 2


@EVERY
def test_every_table_has_a_cell_for_each_title(name: str) -> None:
    for table in PAGES[name].all("table"):
        assert len({len(row) for row in rows(table)}) == 1
        assert table.all("caption")[0].text


@EVERY
def test_headings_step_down_one_at_a_time_and_sections_are_named_by_them(name: str) -> None:
    root = PAGES[name]
    levels = [int(one.tag[1]) for one in root.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    names = {one.attributes.get("id") for one in root.all("h2")}
    assert {one.attributes["aria-labelledby"] for one in root.all("section")} == names
    assert [len(root.all(tag)) for tag in ("header", "main", "footer")] == [1, 1, 1]
    assert root.all("html")[0].attributes["lang"] == "en"


@EVERY
def test_a_verdict_is_told_by_word_and_sign_and_not_by_colour_alone(name: str) -> None:
    report = DOCUMENTS[name]
    cards = PAGES[name].all("article")
    assert len(cards) == len(report.comparisons)
    for card, one in zip(cards, report.comparisons, strict=True):
        assert one.arm in card.all("h3")[0].text
        assert card.all("svg")
        is_told = wording.telling(one.sequence, one.standard_error) is not None
        assert ("e\u2011value" in card.text) is is_told


def test_a_hostile_name_is_text_and_nothing_else() -> None:
    root = PAGES["segmented"]
    assert HOSTILE in root.text
    assert "&lt;script&gt;alert(1)" in page(DOCUMENTS["segmented"])
    name, better = "</title><script>alert(2)</script>", DOCUMENTS["better"]
    old, new = better.arms
    title = page(replace(better, control=name, arms=(replace(old, arm=name), new)))
    assert read(title).all("script") == []


def test_the_table_of_effects_has_the_numbers_of_the_document() -> None:
    head, row = captioned(PAGES["better"], "Effects")
    (one,) = DOCUMENTS["better"].comparisons
    assert one.standard_error is not None
    cells = dict(zip(head, (cell.replace("−", "-") for cell in row), strict=True))
    digits = one.standard_error / 10
    assert float(cells["Effect (nats)"]) == pytest.approx(one.effect, abs=digits)
    for title, ends in (
        ("95% interval, one look", one.fixed_interval),
        ("95% confidence sequence, every look", one.sequence),
    ):
        assert list(map(float, cells[title].split(" to "))) == pytest.approx(ends, abs=digits)
    assert cells["Verdict"] == "better"
    assert cells["Claimed among all (e-BH)"] == "yes"


def by_head(root: Element, start: str) -> dict[str, list[float]]:
    """The columns of a table by their heads."""
    (head, *found) = captioned(root, start)
    plain = [[cell.replace("−", "-").replace("—", "nan") for cell in row] for row in found]
    cells = [[float(re.sub("[^0-9ena.-]", "", cell)) for cell in row] for row in plain]
    return dict(zip(head, map(list, zip(*cells, strict=True)), strict=True))


def test_the_table_of_a_reliability_diagram_has_its_points() -> None:
    arm = DOCUMENTS["better"].arms[1]
    columns = by_head(PAGES["better"], "The numbers of Reliability of old and new")
    own = [at for at, value in enumerate(columns["new"]) if not math.isnan(value)]
    expected = {
        "Bin from": [one.low for one in arm.reliability],
        "to": [one.high for one in arm.reliability],
        "Weight": [one.weight for one in arm.reliability],
        "Mean prediction": [one.mean_predicted for one in arm.reliability],
        "new": [one.observed for one in arm.reliability],
        "new, low": [wilson(one.observed or 0.0, one.weight)[0] for one in arm.reliability],
        "new, high": [wilson(one.observed or 0.0, one.weight)[1] for one in arm.reliability],
    }
    for head, numbers in expected.items():
        assert [columns[head][at] for at in own] == pytest.approx(numbers, rel=DIGITS, abs=DIGITS)
    assert len(columns["old"]) == len(own) + len(DOCUMENTS["better"].arms[0].reliability)


def test_a_legend_names_each_of_several_series() -> None:
    legends = {
        figure.all("strong")[0].text: [one.text for one in figure.all("li")]
        for figure in PAGES["walked"].all("figure")
    }
    assert legends["Effect of new"] == [
        "95% confidence sequence",
        "95% interval for one look",
        "Effect",
    ]
    assert legends["Reliability of old and new"] == ["Observed = predicted", "old", "new"]
    assert legends["Evidence that new differs"] == []


def test_the_table_of_scores_has_every_bin() -> None:
    bins = DOCUMENTS["better"].arms[1].score_histogram
    columns = by_head(PAGES["better"], "The numbers of Scores of old and new")
    weights = [weight for weight in columns["new, weight"] if weight]
    assert weights == pytest.approx([one.weight for one in bins], rel=DIGITS, abs=DIGITS)
    for label in ("old, label 0", "old, label 1", "new, label 0", "new, label 1"):
        assert sum(columns[label]) == pytest.approx(1, abs=1e-4)


def test_the_table_of_the_course_has_every_look() -> None:
    columns = by_head(PAGES["walked"], "The numbers of Effect of new")
    assert columns["Rows"] == [1000, 2000, 3000]
    heads = ("Effect", "95% confidence sequence, low", "95% confidence sequence, high")
    assert [columns[head][1] for head in heads] == [-0.2, -0.3, -0.1]
    evidence = by_head(PAGES["walked"], "The numbers of Evidence that new differs")
    looks = [look for _, look in DOCUMENTS["walked"].looks("new")]
    powers = [math.log10(look.e_value or 0) for look in looks]
    assert evidence["Power of ten"] == pytest.approx(powers, rel=DIGITS, abs=DIGITS)
    assert evidence["e\u2011value"] == pytest.approx(
        [look.e_value for look in looks], rel=DIGITS, abs=DIGITS
    )


def test_a_course_is_drawn_only_where_there_is_one() -> None:
    counts = {name: len(PAGES[name].all("figure")) for name in ("walked", "not walked", "empty")}
    assert counts == {"walked": 6, "not walked": 4, "empty": 0}
    assert "There are no rows to draw yet." in PAGES["empty"].text
    assert "There is no effect to draw yet." in PAGES["empty"].text


def test_refusals_exclusions_and_clipping_are_told() -> None:
    text = read(page(replace(DOCUMENTS["thin"], excluded={"y_true": 1203, "unit": 0}))).text
    assert "Excluded: 1,203 rows without y_true." in text
    assert "without unit." not in text
    assert "effective rows of 6,000" in text
    old, new = DOCUMENTS["better"].arms
    clipped = replace(DOCUMENTS["better"], arms=(replace(old, clipped=3), new))
    assert "old: 3 predictions were clipped" in read(page(clipped)).text


def test_a_report_kept_as_json_makes_the_same_page() -> None:
    document = DOCUMENTS["segmented"]
    assert page(TypeAdapter(EvaluationReport).validate_json(to_json(document))) == page(document)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def themes() -> list[dict[str, str]]:
    """The colours by name: light, dark and printed."""
    style = (files("kullback.evaluation") / "templates" / "style.css").read_text()
    blocks = re.findall(r":root \{([^}]*)\}", style)
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in blocks]


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark", "print"])
def test_words_and_lines_stand_out_as_wcag_aa_asks(theme: dict[str, str]) -> None:
    for ground in ("paper", "card"):
        for words in ("ink", "quiet", "accent", "good", "bad", "even", "open", "stop"):
            assert contrast(theme[words], theme[ground]) >= 4.5, (words, ground)
    for ground in ("paper", "margin", "c1-band"):
        assert contrast(theme["ink"], theme[ground]) >= 4.5, ground
        assert contrast(theme["c1"], theme[ground]) >= 3, ground
    assert contrast(theme["c1"], theme["c5-faint"]) >= 3
    for shape in ("edge", "limit", "c1", "c2", "c4", "c5"):
        assert contrast(theme[shape], theme["paper"]) >= 3, shape


@EVERY
def test_every_shape_has_a_style(name: str) -> None:
    style = PAGES[name].all("style")[0].text
    drawn = [
        one for picture in PAGES[name].all("figure") for one in walk(picture) if one.tag != "div"
    ]
    names = {part for one in drawn for part in (one.attributes.get("class") or "").split()}
    assert {part for part in names if f".{part}" not in style} <= {"label"}
