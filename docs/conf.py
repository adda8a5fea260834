"""How Sphinx makes the documentation site: `make docs` writes docs/_build/index.html.

The pages are read on GitHub as well, so they are plain Markdown with links between files. What GitHub shows
and Sphinx does not know is translated here: pictures in two colour schemes, and tables that rules wrote
without a title.
"""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from importlib.metadata import version as installed
from pathlib import Path

from sphinx.application import Sphinx

project = "coconut-study"
author = "The coconut-study authors"
copyright = "the coconut-study authors"
release = version = installed("coconut-study")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxcontrib.mermaid",
    "sphinxcontrib.typer",
]
exclude_patterns = ["_build", "examples"]
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
suppress_warnings = ["myst.header"]  # tables have no heading of their own
nitpicky = True
default_role = "code"  # in docstrings
nitpick_ignore_regex = [("py:.*", r"(?!coconut_study\.).*|.*\.(Graph|Outcome)")]  # libraries; inner types
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
copybutton_exclude = ".linenos, .gp, .go"

html_theme = "furo"
html_title = "coconut-study"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False

# Files of the repository that a page of the site includes.
PICTURE = re.compile(r"<picture>.*?</picture>", flags=re.DOTALL)
PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "config/README.md": "studies.md",
}


class Picture(HTMLParser):
    """The tags in the HTML of a `<picture>`, with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: dict[str, dict[str, str]] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags[tag] = {name: value or "" for name, value in attrs}


def images(match: re.Match[str]) -> str:
    """A `<picture>` as two images, of which a page shows the one of its colours."""
    tags = Picture(match[0]).tags
    shown = {"light": tags["img"]["src"], "dark": tags["source"]["srcset"]}
    return "\n".join(
        f"```{{image}} {file}\n:class: only-{colours}\n:alt: {json.dumps(tags['img']['alt'])}\n```\n"
        for colours, file in shown.items()
    )


def readable(app: Sphinx, name: str, source: list[str]) -> None:
    """Give a table that a rule wrote a title, and let links to included files lead to their pages."""
    if match := re.fullmatch(r"results/(\w+)/([\w-]+)", name):
        source[0] = f"# {match[1]}: {match[2]}\n\n{source[0]}"
    source[0] = translated(source[0], "../" * name.count("/"))


def included(app: Sphinx, path: Path, parent: str, source: list[str]) -> None:
    """The same for a file that a page of the top folder includes; its links are seen from that page."""
    text = re.sub(r'(\]\(|=")(\.\./)*docs/', r"\1", source[0])
    source[0] = translated(text, "")


def translated(text: str, top: str) -> str:
    """A text whose pictures are images and whose links to included files lead to their pages below `top`."""
    text = PICTURE.sub(images, text)
    for file, page in PAGES.items():
        text = re.sub(rf"\]\((\.\./)*{re.escape(file)}(#[\w-]+)?\)", rf"]({top}{page}\2)", text)
    return text


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what is above."""
    app.connect("source-read", readable)
    app.connect("include-read", included)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
