"""Terms of pages: each stands beside a plain word, and has a place in the documentation."""

import re
from pathlib import Path

import pytest

from kullback.ui.glossary import GLOSSARY, Term
from tests.experiments.service import EXPERIMENT, PAIRED, TWO, observe
from tests.monitoring.service import Service
from tests.ui.opened import Page

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.mark.parametrize("term", GLOSSARY.values(), ids=list(GLOSSARY))
def test_each_term_leads_to_a_place_that_the_documentation_has(term: Term) -> None:
    name, _, anchor = term.place.partition("#")
    text = (DOCS / name.replace(".html", ".md")).read_text()
    heads = {head.lower().replace(" ", "-") for head in re.findall(r"(?m)^#+ (.*)$", text)}
    assert not anchor or anchor in heads
    assert term.plain
    assert term.meaning.endswith(".")


@pytest.mark.anyio
async def test_checks_of_an_experiment_say_what_they_are_for(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **TWO)
    page = Page.of(await service.client.get("/experiments/ranker"))
    for name in ("Influence", "Rarer label"):
        assert GLOSSARY[name].meaning in page.text
