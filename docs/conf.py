"""The documentation as a site: `make docs` builds it, without asking anybody over a network."""

import re
from importlib.metadata import version as version_of
from typing import Any

from sphinx.application import Sphinx

project = "Kullback"
author = "The Kullback maintainers"
version = release = version_of("kullback")
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_llms_txt",
]
exclude_patterns = ["build"]

myst_heading_anchors = 4  # links to headings are those of every other renderer
myst_enable_extensions = ["attrs_inline", "html_image"]
suppress_warnings = ["myst.header"]  # a page may begin where it likes

html_theme = "furo"
html_title = f"Kullback {release}"
html_extra_path = ["openapi.json"]
html_theme_options: dict[str, Any] = {"navigation_with_keys": True, "footer_icons": []}
copybutton_exclude = ".linenos, .gp, .go"

autodoc_typehints = "description"
autodoc_member_order = "bysource"

llms_txt_summary = (
    "Kullback scores probability forecasts: cross-entropy, KL divergence, log loss and their "
    "relatives over HTTP, exactly. Monitors turn prediction streams into windowed metrics with "
    "checks that hold at every look; experiments say which of several recommenders is better."
)


def setup(app: Sphinx) -> None:
    """Lead links to files above these pages to the pages that hold them."""
    app.connect("source-read", _to_pages)


def _to_pages(_app: Sphinx, _name: str, source: list[str]) -> None:
    files = r"\]\(\.\./(CHANGELOG|CONTRIBUTING|SECURITY)\.md"
    source[0] = re.sub(files, lambda match: f"](/project/{match[1].lower()}.md", source[0])
