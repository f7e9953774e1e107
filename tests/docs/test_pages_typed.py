"""Every block of the pages that people follow is typed, and prints what stands there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docs.typed import ADDRESS, FILES, OUTPUTS, Block, Reader, blocks
from tests.serving import serving

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDES = sorted([*DOCS.glob("how-to/*.md"), *DOCS.glob("explanation/*.md")])
PAGES = [
    ROOT / "README.md",
    ROOT / "client" / "README.md",
    DOCS / "tutorial.md",
    DOCS / "python.md",
    *GUIDES,
]


def typed_blocks(page: str) -> list[Block]:
    return [block for block in blocks(page) if block.language not in OUTPUTS]


@pytest.mark.parametrize(
    "path",
    [path for path in PAGES if typed_blocks(path.read_text("utf-8"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_page_prints_what_it_says(path: Path, tmp_path: Path) -> None:
    page = path.read_text("utf-8")
    assert {block.language for block in blocks(page)} <= {"sh", "python", *FILES, *OUTPUTS}
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")  # pages are typed in a checkout
    with served(page, tmp_path) as address, Reader(tmp_path, address) as reader:
        assert reader.read(page) == len(typed_blocks(page))


@contextmanager
def served(page: str, directory: Path) -> Iterator[str]:
    """The address of a service that was started in a directory, if the page asks one."""
    if ADDRESS not in page and "Client()" not in page:
        yield "http://127.0.0.1:1"
        return
    with serving(directory=directory, KULLBACK_DATABASE_URL="sqlite:///kullback.db") as server:
        yield server.address


@pytest.mark.parametrize(
    "page",
    [
        "```sh\nfalse\n```",
        "```sh\necho 1\n```\n\n```text\n2\n```",
        "```python\nraise SystemExit\n```",
        "```python\nprint(1)\n```\n\n```json\n2\n```",
        "Nobody says which file:\n\n```yaml\na: 1\n```",
    ],
)
def test_a_page_that_is_wrong_is_found_out(page: str, tmp_path: Path) -> None:
    with Reader(tmp_path, "http://127.0.0.1:1") as reader, pytest.raises(AssertionError):
        reader.read(page)
