"""Tables printed as Markdown, LaTeX and HTML: cells are text, whatever they hold."""

import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from docutils.core import publish_parts
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from coconut_study.report import markup

TABLE = pd.DataFrame(
    {
        "data set": ["Data & set", "b"],
        "accuracy (%)": ["50.0 [0.0, 100.0]", "–"],
        "paper": ["77.5 ± 1.9", "–"],
    }
)


def test_tables_are_printed_as_markdown_booktabs_and_html():
    assert markup.markdown(TABLE).startswith("| data set ")
    latex = markup.latex(TABLE)
    assert r"\toprule" in latex
    assert r"data set & accuracy (\%) & paper \\" in latex
    assert r"Data \& set & 50.0 [0.0, 100.0] & 77.5 $\pm$ 1.9 \\" in latex
    assert "b & -- & --" in latex
    page = markup.html(TABLE)
    assert "<td>Data &amp; set</td>" in page
    assert "<td>77.5 ± 1.9</td>" in page


@pytest.mark.parametrize(
    ("text", "latex"),
    [("a_b", r"a\_b"), ("#1", r"\#1"), ("$", r"\$"), ("{}", r"\{\}"), ("~", r"\textasciitilde "),
     ("\\n", r"\textbackslash n")],
)  # fmt: skip
def test_signs_that_latex_reads_as_commands_are_escaped(text, latex):
    assert f"\n{latex} \\\\" in markup.latex(pd.DataFrame({"token": [text]}))


def test_numbers_of_a_page_are_aligned_on_the_right_and_words_on_the_left():
    table = pd.DataFrame({"method": ["CoT", "3 steps"], "%": ["99.6 [99.3, 99.9]", "–"], "+": ["−1", ".5"]})
    rule = "th:nth-child(2), td:nth-child(2), th:nth-child(3), td:nth-child(3) { text-align: right;"
    assert rule in markup.html(table)
    assert "td:nth-child(1)" not in markup.html(table)


def test_only_a_long_table_has_a_script_and_its_page_allows_no_other():
    few, many = (markup.html(pd.DataFrame({"k": range(n)})) for n in (10, 11))
    assert "<script" not in few
    assert "script-src 'none'" in few
    (script,) = re.findall("<script>(.*?)</script>", many, re.DOTALL)
    assert "aria-sort" in script
    assert {sign for sign in many if not sign.isprintable()} == {"\n"}  # no escape of CSS is one of Python
    assert f"script-src {markup.allowed(script)};" in many
    assert markup.allowed(script) != markup.allowed(f"{script} ")


def test_a_table_is_written_in_three_formats(tmp_path):
    markup.write_table(tmp_path / "table.csv", TABLE)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".html", ".md", ".tex"]


# ------------------------------------------------------------------------------------ any text is text

NASTY = (
    r"$\frac$", r"\input{x}", "x_{a}", "a|b", "a\nb", "a\r\nb", "<script>alert(1)</script>", "&lt;",
    "a & b", "*a*", "__a__", "`a`", "~~a~~", "[a](javascript:alert(1))", "![a](b)", "[a]", "[*]",
    "<http://a.b>", "\\", "^~", "`a <javascript:alert(1)>`_", "javascript:alert(1)", "a_", "|a|", ":role:`a`",
    ".. raw:: html", "- a", "*", "{}",
)  # fmt: skip
SHOWN = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp"], include_characters="\n\r\t"), min_size=1
)
ACTIVE = st.text(st.sampled_from("\\|`*_~<>&$#%^{}[]()!:;.-+\n\r a1")) | SHOWN


def any_text(test):
    """Run a test on all nasty texts, and on random ones."""
    test = given(ACTIVE)(test)
    for text in NASTY:
        test = example(text)(test)
    return test


class Page(HTMLParser):
    """The tags of a page, the text of its cells, and all its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.cells, self.text = [], [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data):
        self.text += data
        if self.cells:
            self.cells[-1] += data


def words(text):
    return text.split()


def table_of(text):
    return pd.DataFrame({text: [text, "second"], f"{text} n": ["1", "2"]})


TAGS = ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td", "tr", "td", "td"]


@any_text
def test_a_cell_of_a_markdown_table_is_text(text):
    """A line break made two rows of one, a | two cells, and a link stayed a link."""
    rendered = Page(MarkdownIt().enable(["table", "strikethrough"]).render(markup.markdown(table_of(text))))
    assert rendered.tags == TAGS
    assert [words(cell) for cell in rendered.cells[:3]] == [words(text), words(f"{text} n"), words(text)]


@any_text
def test_a_cell_of_a_page_is_text(text):
    page = Page(markup.html(table_of(text)).partition("<body>")[2])
    assert page.tags == TAGS
    assert [words(cell) for cell in page.cells[:3]] == [words(text), words(f"{text} n"), words(text)]


LATEX = {
    r"\textbackslash ": "\\", r"\textasciitilde ": "~", r"\textasciicircum ": "^", r"$\pm$": "±",
    r"\space ": " ",
    **{f"\\{sign}": sign for sign in "&%$#_{}"},
}  # fmt: skip
COMMAND = re.compile("|".join(map(re.escape, LATEX)))


@any_text
def test_a_cell_of_a_latex_table_is_text(text):
    r"""`\input{...}` reached LaTeX, and a row that began with [ was an option of the line break before it."""
    first, second = markup.latex(table_of(text)).split("\n")[4:6]
    cell = first.removesuffix(r" & 1 \\").removeprefix("{}")
    assert second == r"second & 2 \\"
    assert not first.startswith(("[", "*"))
    assert not re.search(r"[\\{}$&#^_~%]", COMMAND.sub("", cell))
    read = COMMAND.sub(lambda found: LATEX[found[0]], cell).replace("--", "–")
    assert words(read) == words(text.replace("--", "–"))


@any_text
def test_text_in_a_caption_is_text(text):
    """A link with javascript: stayed in the description of the report."""
    page = Page(publish_parts(f"Caption: {markup.restructured(text)}", writer="html")["html_body"])
    assert set(page.tags) <= {"main", "div", "p"}
    assert words(page.text) == ["Caption:", *words(text)]


# ------------------------------------------------------------------------------------ lines below a table


@any_text
def test_lines_below_a_table_are_text_and_folded_on_a_page(text):
    lines = [text, "second"]
    page = Page(markup.html(TABLE, text, lines).partition("</table>")[2])
    assert page.tags == ["details", "summary", "ul", "li", "li"]
    assert words(page.text) == words(f"{text} (2) {text} second")
    below = markup.markdown(TABLE, "Not run", lines).partition("\n\n")[2]
    rendered = Page(MarkdownIt().enable(["table", "strikethrough"]).render(below))
    assert rendered.tags == ["p"]
    assert words(rendered.text) == words(f"Not run: {text}; second.")


def test_a_folded_table_is_written_in_three_formats(tmp_path):
    markup.write_table(tmp_path / "table.csv", markup.Folded(TABLE, "Not run", ["a claim"]))
    assert "Not run: a claim." in (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "<li>a claim</li>" in (tmp_path / "table.html").read_text(encoding="utf-8")
    assert (tmp_path / "table.tex").read_text(encoding="utf-8") == markup.latex(TABLE)


def test_a_table_without_rows_has_its_columns():
    none = TABLE[:0]
    assert markup.markdown(none).startswith("| data set ")
    assert r"data set & accuracy (\%) & paper \\" in markup.latex(none)
    assert "<th>data set</th>" in markup.html(none)
