"""The page of a finding and the index of pages."""

import pandas as pd
import pytest

from coconut_study.common.errors import StudyError
from coconut_study.report.finding import Shown, index, page, sentence, ship, summary

FINDING = {
    "question": "Do thoughts help?",
    "hypothesis": "They do.\n",
    "prediction": "Right answers rise.\n",
    "mind": "A model that does without.\n",
    "attack": ["One data set.", "Small models."],
}
PREDICTIONS = pd.DataFrame(
    {
        "claim": ["thoughts help", "pauses do not"],
        "verdict": ["supported", "undecided"],
        "first": [99.4, 50.2],
        "second": [50.1, 49.9],
        "difference": [49.3, 0.3],
        "low": [48.0, None],
        "high": [50.6, None],
        "margin": 3.0,
        "note": [None, "2 units; an interval needs 3"],
    }
)


def made(n_rows=1):
    figures = [Shown("map", 'Thoughts help "everywhere".\n'), Shown("other", "More.\n")]
    tables = [Shown("main", "| a |\n|---|\n" + "| 1 |\n" * n_rows)]
    return page(
        FINDING, PREDICTIONS, figures, tables, seeds=[31, 32], bases=[7, 8], run="snakemake --cores all"
    )


def test_a_page_says_what_came_out_before_anything_else():
    first, second, third = made().split("\n\n")[:3]
    assert first == "# Do thoughts help?"
    assert second == "**What came out.** Of 2 predictions, 1 is supported, 1 is undecided."
    assert "map-dark.png" in third


def test_a_page_holds_what_was_thought_before_the_run_and_how_to_run_it():
    text = made()
    for part in ("They do.", "Right answers rise.", "A model that does without.", "- One data set.",
                 "Seeds: 31, 32; seeds of base models: 7, 8", "snakemake --cores all", "| 1 |"):  # fmt: skip
        assert part in text


def test_a_long_table_is_folded_and_a_short_one_is_not():
    assert "<details>" not in made(60)
    assert "<details><summary>main, 61 rows</summary>\n\n| a |" in made(61)


def test_the_words_of_a_figure_are_its_alternative_text():
    assert 'alt="Thoughts help &quot;everywhere&quot;."' in made()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (0, "thoughts help: **supported** (99.4 against 50.1 %; 49.3 points [48.0, 50.6])"),
        (1, "pauses do not: **undecided** (50.2 against 49.9 %; 2 units; an interval needs 3)"),
    ],
)
def test_a_verdict_stands_with_its_numbers(row, words):
    assert sentence(PREDICTIONS.iloc[row]) == words


def test_the_summary_counts_each_verdict():
    many = pd.DataFrame({"verdict": ["supported", "contradicted", "supported"]})
    assert summary(many) == "Of 3 predictions, 2 are supported, 1 is contradicted."


@pytest.fixture
def results(tmp_path):
    """The results of a study with a page and its figures."""
    folder = tmp_path / "results" / "small"
    (folder / "figures").mkdir(parents=True)
    (folder / "finding.md").write_text(made(), encoding="utf-8")
    for name in ("map", "map-dark", "other", "other-dark"):
        (folder / "figures" / f"{name}.png").write_bytes(b"png")
    return folder


def test_a_shipped_page_has_its_figures_beside_it(results, tmp_path):
    ship(results / "finding.md", tmp_path / "docs")
    text = (tmp_path / "docs" / "small.md").read_text()
    assert 'src="small/map.png"' in text
    assert "(../statistics.md)" in text
    assert {path.name for path in (tmp_path / "docs" / "small").iterdir()} == {
        "map.png", "map-dark.png", "other.png", "other-dark.png",
    }  # fmt: skip


def test_shipping_again_changes_nothing_and_keeps_other_pages_in_the_index(results, tmp_path):
    docs = tmp_path / "docs"
    ship(results / "finding.md", docs)
    (docs / "another.md").write_text(made().replace("thoughts help?", "loops help?"))
    ship(results / "finding.md", docs)
    before = {path: path.read_bytes() for path in docs.rglob("*.*")}
    ship(results / "finding.md", docs)
    assert {path: path.read_bytes() for path in docs.rglob("*.*")} == before
    text = (docs / "README.md").read_text()
    assert "## [Do thoughts help?](small.md)" in text
    assert "another.md" in text


def test_a_page_whose_figure_is_missing_is_refused(results, tmp_path):
    (results / "figures" / "other.png").unlink()
    with pytest.raises(StudyError, match=r"other\.png, which is not there"):
        ship(results / "finding.md", tmp_path / "docs")
    assert not (tmp_path / "docs" / "README.md").exists()


def test_the_index_has_every_prediction_with_its_verdict_and_no_numbers():
    text = index({"small": made()})
    assert "- thoughts help: **supported**\n- pauses do not: **undecided**\n" in text
    assert "99.4" not in text
