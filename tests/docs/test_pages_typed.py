"""Every block of the pages that people follow is typed, and prints what stands there."""

from pathlib import Path

import pytest

from tests.docs.typed import OUTPUTS, Reader, blocks
from tests.serving import serving

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "docs/python.md"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_prints_what_it_says(name: str, tmp_path: Path) -> None:
    page = (ROOT / name).read_text("utf-8")
    languages = {block.language for block in blocks(page)}
    assert languages <= {"sh", "python", *OUTPUTS}
    with serving() as (address, _, _), Reader(tmp_path, address) as reader:
        typed = reader.read(page)
    assert typed == sum(block.language not in OUTPUTS for block in blocks(page)) > 0


@pytest.mark.parametrize(
    "page",
    [
        "```sh\nfalse\n```",
        "```sh\necho 1\n```\n\n```text\n2\n```",
        "```python\nraise SystemExit\n```",
        "```python\nprint(1)\n```\n\n```json\n2\n```",
    ],
)
def test_a_page_that_is_wrong_is_found_out(page: str, tmp_path: Path) -> None:
    with Reader(tmp_path, "http://127.0.0.1:1") as reader, pytest.raises(AssertionError):
        reader.read(page)
