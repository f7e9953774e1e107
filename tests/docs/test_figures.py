"""What a page says of its picture is what the picture shows."""

import re
from pathlib import Path

from docs.figures import ALPHA, LOOKS, RUNS, false_claims

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "why-peeking-is-safe.md"


def test_the_page_about_peeking_says_what_its_picture_shows() -> None:
    one_look, sequence = false_claims()
    page = " ".join(PAGE.read_text("utf-8").split())
    assert f"{RUNS:,} simulated experiments without any difference, with {LOOKS} looks" in page
    after_ten, after_all = re.findall(r"after ten looks (\d+) %.*?after a hundred (\d+) %", page)[0]
    assert (int(after_ten), int(after_all)) == (round(one_look[9]), round(one_look[-1]))
    assert f"a *confidence sequence*: {sequence[-1]:.1f} %" in page
    assert max(sequence) < 100 * ALPHA < one_look[-1]
