"""Pages as a browser reads them: text, tables, figures and links."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

from tests.monitoring.service import Document

_VOID = {"meta", "link", "br", "input"}


@dataclass
class Page(HTMLParser):
    """A page: what stands in it, by where it stands.

    Attributes:
        text: all that is read, a space between elements.
        tags, ids: of all elements, in order.
        tables: rows of cells by the name of the region that each table stands in.
        figures: what each figure is drawn from, by its id.
        code: what stands in <pre>.
        links: where each leads, by its text.
    """

    text: str = ""
    tags: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    figures: dict[str, Document] = field(default_factory=dict)
    code: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)
    _open: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    _region: str = ""

    @classmethod
    def of(cls, answer: httpx.Response, status: int = 200) -> "Page":
        """The page that is answered."""
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        page = cls()
        HTMLParser.__init__(page)
        page.feed(answer.text)
        page.close()
        assert not page._open, "every element ends"
        return page

    def rows(self, region: str) -> list[list[str]]:
        """The rows of a table, without its head."""
        return self.tables[region][1:]

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """See HTMLParser."""
        known = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.ids += [known["id"]] if "id" in known else []
        if known.get("role") == "region":
            self._region = known["aria-label"]
            self.tables[self._region] = []
        if tag == "tr":
            self.tables[self._region].append([])
        if tag in ("td", "th"):
            self.tables[self._region][-1].append("")
        if tag == "pre":
            self.code.append("")
        if tag == "option":
            self.options.append("")
        if tag not in _VOID:
            self._open.append((tag, known))

    def handle_endtag(self, tag: str) -> None:
        """See HTMLParser."""
        opened, _ = self._open.pop()
        assert opened == tag
        self.text += " "

    def handle_data(self, data: str) -> None:
        """See HTMLParser."""
        tags = [tag for tag, _ in self._open]
        if "script" in tags:
            self._drawn(data)
            return
        self.text += data
        if "td" in tags or "th" in tags:
            self.tables[self._region][-1][-1] += data
        if "pre" in tags:
            self.code[-1] += data
        if "option" in tags:
            self.options[-1] += data
        for known in (known for tag, known in self._open if tag == "a"):
            self.links[data] = known["href"]
        for _, known in self._open[-1:]:
            if "state" in known.get("class", "").split():
                self.states.append(data)

    def _drawn(self, data: str) -> None:
        (figure,) = (known["id"] for tag, known in self._open if tag == "figure")
        self.figures[figure] = json.loads(data)
