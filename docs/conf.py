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
default_role = "code"  # docstrings are written as Markdown is

myst_heading_anchors = 4  # links to headings are those of every other renderer
myst_enable_extensions = ["attrs_inline", "html_image"]
suppress_warnings = ["myst.header"]  # a page may begin where it likes

html_theme = "furo"
html_title = f"Kullback {release}"
html_show_copyright = False
html_extra_path = ["openapi.json"]
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options: dict[str, Any] = {"navigation_with_keys": True, "footer_icons": []}
copybutton_exclude = ".linenos, .gp, .go"

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"

# Relative: the site may lie under a prefix.
llms_txt_uri_template = "_sources/{docname}{suffix}{sourcelink_suffix}"
llms_txt_summary = (
    "Kullback scores probability forecasts: cross-entropy, KL divergence, log loss and their "
    "relatives over HTTP, exactly. Monitors turn prediction streams into windowed metrics with "
    "checks that hold at every look; experiments say which of several recommenders is better."
)


def setup(app: Sphinx) -> None:
    """Lead links to files above these pages to the pages that hold them; name what is long."""
    app.connect("source-read", _to_pages)
    app.connect("autodoc-process-signature", _shortened)


def _to_pages(_app: Sphinx, _name: str, source: list[str]) -> None:
    files = r"\]\(\.\./(CHANGELOG|CONTRIBUTING|SECURITY)\.md"
    source[0] = re.sub(files, lambda match: f"](/project/{match[1].lower()}.md", source[0])


def _shortened(
    _app: Sphinx,
    _what: str,
    _name: str,
    _object: object,
    _options: object,
    arguments: str | None,
    answer: str | None,
) -> tuple[str | None, str | None]:
    arguments = arguments and re.sub(r"Literal\[[^]]{90,}\]", "Metric", arguments)
    return arguments, answer and re.sub(r"^.*Generator\[.* None, (.*)\]$", r"\1", answer)
