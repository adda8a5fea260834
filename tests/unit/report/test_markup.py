"""Tables printed as Markdown, LaTeX and HTML."""

import pandas as pd
import pytest

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


def test_a_table_is_written_in_three_formats(tmp_path):
    markup.write_table(tmp_path / "table.csv", TABLE)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".html", ".md", ".tex"]
