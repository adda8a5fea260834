"""Tables and figures made by their commands, from files to files."""

import json

import pandas as pd
import pytest

from coconut_study.common.files import write_csv
from coconut_study.questions import schema
from coconut_study.report import commands
from coconut_study.report.catalog import FIGURES, TABLES
from coconut_study.report.scores import RUN

from .examples import PAPER, RULES, SETTINGS, answers, graded, history, traces
from .test_inspections import given, read, without


def rows_of_runs(table, folder):
    """A table as one file per run, by the names of the runs."""
    files = {}
    for (dataset, method, seed), run in table.groupby(RUN):
        files[f"{dataset}/{method}/seed{seed}"] = str(folder / f"{method}-{seed}.csv")
        write_csv(folder / f"{method}-{seed}.csv", run)
    return files


@pytest.fixture
def files(grades, values, question, tmp_path):
    """Files of every kind."""
    run = {"dataset": "d", "method": "coconut", "seed": [1]}
    ends = {
        "question": 0,
        "group": 0,
        "fixed k": 2,
        "fixed right": True,
        "classifier k": 1,
        "classifier right": False,
    }
    times = {"batch size": 1, "questions": 10, "seconds": 5.0, "device": "x86", "k": 2}
    token = {"question": 0, "thought": 1, "rank": 1, "token": "a", "probability": 0.5}
    tables = {
        "grades": grades,
        "values": values,
        "clock": pd.DataFrame(run | times),
        "ending": pd.DataFrame(run | ends | {"threshold": 0.5}),
        "decoded": pd.DataFrame(run | token),
        "interventions": answers(1, 0, own=90, mean=50, mirror=10),
        "tracing": traces(seeds=(1,)),
        "linear": read(1, (0.7, 0.8, 1.0)),
        "attention": given(1, [[1] * 4, [3] * 4]),
        "removal": without(1, none=[0.9] * 4, path=[0.1] * 4, random=[0.8] * 4),
    }
    found = {kind: rows_of_runs(table, tmp_path / kind) for kind, table in tables.items()}
    others = {
        ("histories", "s"): history(0, [0.1, 0.9]).assign(following=[None, 0.5]),
        ("statistics", "Toy (test)"): pd.DataFrame({"measure": ["questions"], "value": [8]}),
        ("shortcuts", "d"): RULES.drop(columns="dataset"),
    }
    for (kind, name), table in others.items():
        write_csv(tmp_path / f"{kind}.csv", table)
        found[kind] = {name: str(tmp_path / f"{kind}.csv")}
    other = [graded("coconut", 1, k, ["correct label"] * 4, dataset="e") for k in (0, 2)]
    write_csv(tmp_path / "asked.csv", pd.concat(other))
    found["asked"] = found["rewritten"] = {"d/coconut/seed1/e": str(tmp_path / "asked.csv")}
    paper = PAPER | {
        "names": {"cot": "CoT", "prosqa": "ProsQA"},
        "models": {"default": "gpt2"},
        "seconds": {},
        "claims": [],
        "statistics": {},
    }
    (tmp_path / "paper.yaml").write_text(json.dumps(paper), encoding="utf-8")
    schema.write(tmp_path / "test.jsonl", [question])
    schema.write(tmp_path / "four.jsonl", [question] * 4)
    return found | {
        "paper": {"paper": str(tmp_path / "paper.yaml")}, "questions": {"d": str(tmp_path / "test.jsonl")},
        "hops": {"e": str(tmp_path / "four.jsonl")},
    }  # fmt: skip


def make(record, files, folder):
    """Make a table or figure, after the tables that it is made from; its first file."""
    command = commands.figure if record.kind == "figure" else commands.table
    arguments = {
        "files": {kind: files[kind] for kind in record.reads},
        "tables": {name: str(make(TABLES[name], files, folder)) for name in record.tables},
        "settings": {name: SETTINGS[name] for name in record.needed},
    }
    out = folder / f"{record.name}.{'svg' if record.kind == 'figure' else 'csv'}"
    command(record.name, json.dumps(arguments), out)
    return out


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_the_columns_of_its_record_and_every_format(name, files, tmp_path):
    record = TABLES[name]
    table = pd.read_csv(make(record, files, tmp_path / "tables"))
    assert tuple(table.columns) == (record.columns or ("measure", "Toy (test)"))
    assert len(table) > 0
    suffixes = {path.suffix for path in (tmp_path / "tables").glob(f"{name}.*")}
    assert suffixes == ({".csv"} if record.format_settings is None else {".csv", ".md", ".tex", ".html"})


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_in_every_format(name, files, tmp_path):
    values = pd.read_csv(files["values"]["d/coconut/seed1"])
    one = values.drop_duplicates(["question", "k"]).assign(node="lempus")
    write_csv(tmp_path / "one.csv", one)
    files["values"] = files["values"] if name != "tree" else {"d/coconut/seed1": str(tmp_path / "one.csv")}
    drawn = make(FIGURES[name], files, tmp_path / "drawn")
    assert "<svg" in drawn.read_text(encoding="utf-8")
    assert {path.suffix for path in drawn.parent.glob(f"{name}.*")} >= {".svg", ".pdf", ".png", ".txt"}
