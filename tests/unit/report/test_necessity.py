"""The necessity map: its table from planted grades, and its figure from planted tables."""

import pandas as pd
import pytest

from coconut_study.report import inputs
from coconut_study.report.figures.necessity import necessity as drawn
from coconut_study.report.necessity import format_necessity, necessity
from coconut_study.report.results import seeds
from coconut_study.report.scores import by_group
from coconut_study.report.style import style

from .examples import graded

NAMES = {"Coconut": "thoughts", "pause": "pause"}
BASES = {
    f"{name}_{layers}": {seed: f"base {seed}" for seed in range(3)}
    for name in NAMES.values()
    for layers in (2, 4)
}
ROLES = {name: "thoughts" if name.startswith("thoughts") else "control" for name in BASES}


def answers(name, layers, seed, n_right, hops=3):
    """A run of 160 questions, of every 40 of which `n_right` are answered right, others with other seeds."""
    right = [(question + seed) % 40 < n_right for question in range(160)]
    outcomes = ["correct label" if one else "incorrect label" for one in right]
    return graded(
        f"{name}_{layers}", seed, hops if name == "thoughts" else 0, outcomes, dataset=f"hops_{hops}"
    )


def cells(*shapes):
    return [
        {"dataset": f"hops_{hops}", "hops": hops, "layers": layers, "width": 64, "row": row,
         "method": f"{name}_{layers}", "k": hops if name == "thoughts" else 0,
         "against": None if row == "pause" else f"pause_{layers}", "against_k": 0}
        for layers, hops in shapes
        for row, name in NAMES.items()
    ]  # fmt: skip


@pytest.fixture(scope="module")
def planted():
    """Thoughts are worth 50 points at two layers and three hops, and nothing at four layers; two hops were
    run at two layers alone."""
    n_right = {("thoughts", 2, 3): 39, ("pause", 2, 3): 19, ("thoughts", 4, 3): 39, ("pause", 4, 3): 39,
               ("thoughts", 2, 2): 30, ("pause", 2, 2): 30}  # fmt: skip
    grades = [answers(name, layers, seed, n, hops)
              for (name, layers, hops), n in n_right.items() for seed in range(3)]  # fmt: skip
    return by_group(pd.concat(grades)), cells((2, 3), (4, 3), (2, 2))


def table(planted):
    return necessity(planted[0], map_cells=planted[1], margin=3.0, bases=BASES)


def at(rows, layers, hops, row="Coconut"):
    here = (rows["layers"] == layers) & (rows["hops"] == hops) & (rows["row"] == row)
    return rows[here].squeeze()


def test_content_is_worth_what_was_planted(planted):
    rows = table(planted)
    needed, idle = at(rows, 2, 3), at(rows, 4, 3)
    assert needed["difference"] == pytest.approx(50)
    assert needed["difference low"] < 50 < needed["difference high"]
    assert needed["verdict"] == "supported"
    assert idle["difference"] == 0
    assert idle["verdict"] == "equivalent"


def test_the_row_without_content_is_set_against_nothing(planted):
    row = at(table(planted), 2, 3, "pause")
    assert pd.isna(row["difference"])
    assert row["mean"] == pytest.approx(47.5)


def test_every_cell_has_its_rows_in_print(planted):
    shown = format_necessity(table(planted), titles={name: name for name in [*BASES, "hops_2", "hops_3"]})
    assert shown["hops"].tolist() == ["2", "2", "3", "3", "3", "3"]
    assert shown["verdict"].tolist() == ["equivalent", "–", "supported", "–", "equivalent", "–"]


def draw(planted, rows=None):
    counts, where = planted
    with style():
        return drawn(
            table(planted) if rows is None else rows,
            seeds(counts, rows=where),
            roles=ROLES,
            content="Coconut",
            width=64,
        )


def test_the_figure_says_where_content_is_needed(planted):
    made = draw(planted)
    assert made.title == "Thoughts need content at 3 hops with 2 layers, at 2 hops nowhere"
    assert "3 hops and 2 layers: +50 points" in made.alt
    assert "3 hops and 4 layers: 0 points [0.0, 0.0], equivalent" in made.alt


def test_hops_with_the_same_finding_are_named_together(planted):
    rows = table(planted)
    rows.loc[rows["difference"].notna(), "verdict"] = "supported"
    title = draw(planted, rows).title
    assert title == "Thoughts need content at 2 hops with 2 layers, at 3 hops with 2 and 4 layers"
    title = draw(planted, rows[rows["layers"] == 2]).title
    assert title == "Thoughts need content at 2 and 3 hops with 2 layers"


def test_the_figure_is_the_same_from_a_table_that_was_written_and_read(planted, tmp_path):
    path, rows = tmp_path / "necessity.csv", table(planted)
    rows.to_csv(path, index=False)
    assert draw(planted, inputs.table(path, rows.columns)).alt == draw(planted).alt


def test_a_cell_without_runs_is_hatched_and_says_so(planted):
    axes = draw(planted).figure.axes
    not_run = [axis for axis in axes if "not run" in [text.get_text() for text in axis.texts]]
    assert len(axes) == 4
    assert len(not_run) == 1
    assert not_run[0].patch.get_hatch()


def test_theory_is_a_line_left_of_the_layers_that_suffice(planted):
    """Three layers suffice for three hops if paths merge, four if a layer follows one hop."""
    figure = draw(planted).figure
    merging, stepwise = (line.get_xdata() for line in figure.artists)
    two, four = (axis.get_position() for axis in figure.axes[2:])
    assert two.x1 < merging[-1] < four.x0
    assert merging[-1] == stepwise[-1]
    assert merging[0] < two.x0 < stepwise[0]
