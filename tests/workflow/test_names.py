"""A study whose names, labels, titles and tokens look like numbers, missing values and markup, from made-up
results of its runs to every table and figure."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from coconut_study.__main__ import main
from coconut_study.common.files import write_csv
from coconut_study.evaluation.columns import INTERVENTIONS, RUN
from coconut_study.questions import schema
from coconut_study.questions.question import from_graphs
from coconut_study.report.catalog import FIGURES, TABLES
from coconut_study.study import table_inputs
from coconut_study.study.runs import Run

from ..conftest import GRAPH
from ..studies import CONFIG, plan_of, settings
from ..unit.report.examples import answers, traces
from ..unit.report.test_inspections import given, read, without

PAPER = str(CONFIG / "paper_numbers.yaml")
TITLES = [r"$\frac$", "x_{a}", "a|b\nc", r"\input{x} ^~", "<b>&</b>"]
SETS = ["5", "NA"]
METHODS = {
    "007": "coconut",
    "null": "cot",
    "True": "without_thought",
    "nan": "no_cot",
    "inf": "pause_as_thought",
}
UNASKED = {
    "comparison",
    "necessity",
    "predictions",
    "following_epochs",
    "sufficient",
}  # tables of other studies
TOKENS = ["NA", "\r", "007", "null", "\n", "", ","]
NODES = ("None", "Tom", "NA", "1e5", "007", "nan", "inf")

QUESTION = from_graphs([GRAPH.__class__(NODES, GRAPH.edges, GRAPH.root, GRAPH.target, GRAPH.neg_target)],
                       np.random.default_rng(0))[0]  # fmt: skip

INSIDE = {
    "tracing": traces(seeds=[0]),
    "linear": read(0, (0.7, 0.8, 1.0)),
    "attention": given(0, [[1] * 4, [3] * 4]),
    "removal": without(0, none=[0.9] * 4, path=[0.1] * 4, random=[0.8] * 4),
}


def study():
    whole = settings("smoke")
    toy = whole["datasets"]["balanced"]
    return whole | {
        "datasets": {name: toy | {"title": f"{name} {TITLES[0]}", "paper": None} for name in SETS}
        | {"1e5": {"title": TITLES[4], "questions": {"source": "rewrites", "of": "5", "seed": 0}}},
        "methods": whole["methods"] | {
            name: {"like": like, "title": title}
            for (name, like), title in zip(METHODS.items(), TITLES, strict=True)
        },
        "runs": [{"datasets": SETS, "methods": [*METHODS], "seeds": [1, 2]}],
        "sweep": {"methods": ["007"], "k": [0, 1, 2]},
        "comparisons": {
            "None": {
                "title": TITLES[1], "datasets": ["5", "NA"], "x": "label", "xlabel": "$",
                "series": {"NA": {"inf": "007", "NA": "null", 0.5: "True"}, "null": {"$x": "nan"}},
            },
            "numbers": {
                "title": TITLES[1], "datasets": ["NA"], "x": "tokens", "xlabel": "$",
                "series": {"nan": {5: "007", "1e5": "null"}},
            },
        },
        "clock": {"methods": ["007", "null"], "questions": 4, "batch_size": 4},
        "ending": {"methods": ["007"], "questions": 8},
        "probing": {"datasets": SETS, "methods": ["007"], "k": [1, 2], "height": "shortest",
                    "questions": None, "case": 0},
        "decoding": {"datasets": SETS, "methods": ["007"], "questions": 1, "top": 3},
        "interventions": {"datasets": SETS, "methods": ["007"], "questions": 4},
        "tracing": {"datasets": SETS, "methods": ["007"], "questions": 4},
        "linear": {"datasets": SETS, "methods": ["007"], "within": [1], "questions": 4},
        "attention": {"datasets": SETS, "methods": ["007"], "questions": 4},
        "removal": {"datasets": SETS, "methods": ["007"], "questions": 4},
        "transfer": [{"trained": ["5"], "asked": ["NA", "1e5"], "methods": ["007"]}],
    }  # fmt: skip


PLAN = plan_of(study())


def of_run(table, name):
    """A table of the run with this name."""
    dataset, method, seed = name.split("/")
    run = dict(zip(RUN, (dataset, method, int(seed.removeprefix("seed"))), strict=True))
    return pd.DataFrame(table).assign(**run)[[*run, *table]]


def made_up(kind, name):
    """A file of this kind, whose numbers depend on the name a little."""
    right = [True, len(name) % 2 == 0]
    if kind in ("asked", "rewritten"):
        run, _, asked = name.rpartition("/")
        return made_up("grades", run).assign(dataset=asked)
    if kind == "interventions":
        answered = [answers(0, question, own=90, mean=50, mirror=10, random=50) for question in (0, 1)]
        return of_run(pd.concat(answered)[list(INTERVENTIONS[len(RUN) :])], name)
    if kind in INSIDE:
        return of_run(INSIDE[kind].drop(columns=[*RUN]), name)
    if kind == "grades":
        dataset, method, seed = name.split("/")
        ks = sorted(PLAN.ks("respond", Run(dataset, method, int(seed.removeprefix("seed")))))
        graded = {"question": [0, 1], "group": [0, 1], "outcome": "correct path", "right": right,
                  "right number": None, "tokens": 4, "finished": True, "edges": 3,
                  "wrong edges": 0}  # fmt: skip
        return pd.concat([of_run({"k": [k, k], **graded}, name) for k in ks])
    if kind == "clock":
        times = {"batch size": [1, 4], "questions": 4, "seconds": 2.0, "device": "inf", "k": 2}
        return of_run(times, name)
    if kind == "ending":
        ends = {"question": [0, 1], "group": [0, 1], "fixed k": 2, "fixed right": right, "classifier k": 1,
                "classifier right": True, "threshold": np.inf}  # fmt: skip
        return of_run(ends, name)
    if kind == "values":
        values = {"question": 0, "group": 0, "k": [1, 1, 2, 2], "frontier": [1, 1, 2, 2], "option": False,
                  "node": ["NA", "1e5", "007", "nan"],
                  "height": [1, 2, 1, 2], "correct": [True, False] * 2,
                  "value": [0.6, 0.2, 0.5, 0.1]}  # fmt: skip
        return of_run(values, name)
    if kind == "decoded":
        decoded = {
            "question": 0,
            "thought": 1,
            "rank": range(len(TOKENS)),
            "token": TOKENS,
            "probability": 0.1,
        }
        return of_run(decoded, name)
    if kind == "histories":
        stage = int(name.partition("stage")[2][0])
        return pd.DataFrame({"stage": stage, "epoch": [0, 1], "questions": [0, 8],
                             "loss": [None, 1.0], "accuracy": [0.0, 0.5]})  # fmt: skip
    if kind == "shortcuts":
        return pd.DataFrame({"rule": ["null", "a|b"], "question": 0, "group": 0, "points": [0.5, 1.0]})
    return pd.DataFrame({"measure": ["questions", "steps"], "value": [8, 3.0]})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder in which every table and figure was made by its command."""
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder := tmp_path_factory.mktemp("names"))
        for record in (*TABLES.values(), *FIGURES.values()):
            for name, values in table_inputs.names(PLAN, record).items():
                arguments = table_inputs.arguments(PLAN, record, values, PAPER)
                for kind, files in arguments["files"].items():
                    for key, path in files.items():
                        write(kind, key, Path(path))
                suffix = "csv" if record.kind == "table" else "svg"
                out = f"{PLAN.results}/{record.kind}s/{name}.{suffix}"
                command = [record.kind, record.name, "--arguments", json.dumps(arguments), "--out", out]
                patched.setattr(sys, "argv", ["coconut_study", *command])
                with pytest.raises(SystemExit) as ended:
                    main()
                assert ended.value.code in (None, 0), name
    return folder / PLAN.results


def write(kind, name, path):
    if path.exists():
        return
    if kind in ("questions", "hops"):
        schema.write(path, [QUESTION] * 2)
    else:
        write_csv(path, made_up(kind, name))


def text_of(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def test_every_table_and_figure_is_made(made):
    """Names that YAML or pandas read as numbers or as missing ended tables after all training, and a title
    with $ a figure."""
    tables = {path.stem for path in (made / "tables").glob("*.csv")}
    assert tables == {*TABLES} - UNASKED | {"comparison-None", "comparison-numbers"}
    figures = {path.stem for path in (made / "figures").glob("*.svg")}
    assert figures >= {
        "accuracy-NA",
        "learning-NA",
        "sweep-NA-007",
        "tree-NA-007",
        "values-NA",
        "comparison-None",
    }


@pytest.mark.parametrize(
    "name", ["main", "seeds", "sweep", "learning", "stages", "clock", "ending", "heights"]
)
def test_names_in_tables_are_those_of_the_study(made, name):
    table = text_of(made / "tables" / f"{name}.csv")
    assert set(table["dataset"]) == set(SETS)
    assert {one for one in table["method"] if not one.startswith("shortcut: ")} <= set(METHODS)
    if name in ("main", "seeds", "sweep"):
        assert set(METHODS) <= set(table["method"])


def test_labels_and_tokens_are_those_of_the_study(made):
    table = text_of(made / "tables" / "comparison-None.csv")
    assert table[["series", "label", "method"]].drop_duplicates().values.tolist() == [
        ["NA", "inf", "007"], ["NA", "NA", "null"], ["NA", "0.5", "True"], ["null", "$x", "nan"]
    ]  # fmt: skip
    tokens = text_of(made / "tables" / "decoded.csv")
    assert tokens["token"].tolist() == TOKENS * len(SETS) * 2


@pytest.mark.parametrize("title", TITLES)
def test_titles_are_text_in_figures_and_pages(made, title):
    """`$\\frac$` was read as a formula, and ended the figure."""
    drawn = (made / "figures" / "learning-NA.svg").read_text(encoding="utf-8")
    page = (made / "tables" / "seeds.html").read_text(encoding="utf-8")
    shown = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for line in shown.split("\n"):
        assert line in drawn
        assert line in page


def test_a_table_has_as_many_rows_in_markdown(made):
    table = text_of(made / "tables" / "seeds.csv")
    rows = (made / "tables" / "seeds.md").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 2 + len(table) / 2  # two seeds in a row
