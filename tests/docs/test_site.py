"""The documentation is built without a warning, asks nobody over a network, and can be searched."""

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import kullback_client

ROOT = Path(__file__).parents[2]
# What a page loads, unlike what it links to.
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "srcset"}


class Loads(HTMLParser):
    """The addresses that a page loads something from."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get(LOADED.get(tag, ""))
        if address is not None:
            self.addresses.append(address)


def built(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """The site, as `make docs` builds it."""
    options = ("--fail-on-warning", "--keep-going", "--quiet")
    return subprocess.run(  # noqa: S603 - the tool of our own environment
        [sys.executable, "-m", "sphinx", *options, str(source), str(target)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    result = built(ROOT / "docs", target)
    assert result.returncode == 0, result.stderr
    return target


def test_every_page_is_built_and_can_be_reached(site: Path) -> None:
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert len(pages) > 20
    for page in pages:
        assert (site / page).with_suffix(".html").is_file(), page
    for name in ("llms.txt", "llms-full.txt", "openapi.json"):
        assert (site / name).stat().st_size > 1000


def test_pages_for_language_models_are_found_beside_their_list(site: Path) -> None:
    links = re.findall(r"\]\(([^)]+)\)", (site / "llms.txt").read_text("utf-8"))
    assert len(links) > 20
    assert [link for link in links if link.startswith("/") or not (site / link).is_file()] == []


def test_the_reference_of_the_client_describes_every_name(site: Path) -> None:
    page = (site / "reference" / "client.html").read_text("utf-8")
    names = set(kullback_client.__all__) - {"__version__"}
    assert {name for name in names if f'id="kullback_client.{name}"' not in page} == set()


def test_a_page_asks_nobody_over_a_network(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text("utf-8"))
        assert len(loads.addresses) > 3
        assert [each for each in loads.addresses if re.match(r"(https?:)?//", each)] == []
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", sheet.read_text("utf-8"))


def test_the_search_finds_pages_without_a_server(site: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: Debian's package nodejs")
    index = (site / "searchindex.js").read_text("utf-8")
    assert index.startswith("Search.setIndex(")
    program = (
        "const Search={setIndex:x=>console.log(JSON.stringify([x.docnames,x.terms]))};" + index
    )
    script = site / "look.js"
    script.write_text(program, "utf-8")
    ran = subprocess.run(  # noqa: S603 - the index that was built
        [node, str(script)], capture_output=True, text=True, check=True
    )
    names, terms = json.loads(ran.stdout)
    found = terms["perplex"]
    assert "reference/metrics" in {names[at] for at in found}


def test_a_link_that_leads_nowhere_ends_the_build(tmp_path: Path) -> None:
    source = tmp_path / "docs"
    source.mkdir()
    shutil.copy(ROOT / "docs" / "conf.py", source)
    (source / "openapi.json").write_text("{}", "utf-8")
    (source / "index.md").write_text("# A page\n\n[away](nowhere.md)\n", "utf-8")
    result = built(source, tmp_path / "site")
    assert result.returncode != 0
    assert "nowhere" in result.stderr
