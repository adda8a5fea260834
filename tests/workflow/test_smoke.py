"""The smoke study from questions to report, and what an edit or a changed setting reruns after it."""

import json
import shutil
from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from coconut_study.report.scores import ANSWER, MEASURES

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def results(finished) -> Path:
    return finished.folder / "results" / "smoke"


def test_every_table_and_figure_is_there_in_every_format(results):
    for table in (
        "main",
        "seeds",
        "sweep",
        "claims",
        "data",
        "stages",
        "costs",
        "spent",
        "transfer",
        "sufficient",
        "following",
        "interventions",
        "tracing",
        "linear",
        "attention",
        "removal",
    ):
        for suffix in (".csv", ".md", ".tex", ".html"):
            assert (results / "tables" / f"{table}{suffix}").stat().st_size > 100
    assert (results / "figures" / "transfer-balanced.svg").stat().st_size > 1000
    for figure, name in product(("accuracy", "learning", "sweep"), ("balanced", "prosqa")):
        file = f"{figure}-{name}" + "-coconut" * (figure == "sweep")
        for suffix in (".svg", ".pdf", ".png", "-dark.png"):
            assert (results / "figures" / f"{file}{suffix}").stat().st_size > 1000
    report = (results / "report.html").read_text(encoding="utf-8")
    start = report.partition('id="workflow-desc"')[2].partition("</script>")[0]
    assert start.count("<svg") == start.count("Right answers on ") / 3 == 2  # drawn, described, and in words
    assert "accuracy and tokens, beside the paper" in report
    assert "its numbers mean nothing" in report
    assert "results/smoke/explorer.html" in report


def test_the_explorer_holds_every_run_and_whole_groups(results):
    page = (results / "explorer.html").read_text(encoding="utf-8")
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    runs = {one["name"]: [(run["method"], run["seed"]) for run in one["runs"]] for one in data["datasets"]}
    others = [("pause_as_thought", 1), ("without_thought", 1), ("cot", 1), ("cot", 2)]
    assert runs == {"balanced": [("coconut", 1), *others], "prosqa": [("coconut", 1)]}
    assert [len(one["questions"]) for one in data["datasets"]] == [32, 32]
    assert data["datasets"][0]["runs"][0]["conditions"]
    assert len(page) < 2e6


def test_every_response_is_graded_once_and_counted_in_the_tables(results):
    grades = pd.read_csv(results / "runs" / "balanced" / "coconut" / "seed1" / "grades.csv")
    lines = (results / "runs" / "balanced" / "coconut" / "seed1" / "responses.jsonl").read_text().splitlines()
    assert len(grades) == len(lines) == 3 * 32  # k = 0, 1, 2 and 32 questions
    assert grades.groupby("k")["question"].nunique().tolist() == [32, 32, 32]
    sweep = pd.read_csv(results / "tables" / "sweep.csv")
    rows = sweep[(sweep["dataset"] == "balanced") & (sweep["method"] == "coconut") & (sweep["k"] == 1)]
    assert set(rows["measure"]) == set(MEASURES)
    right = 100 * grades[grades["k"] == 1]["right"].mean()
    assert rows.set_index("measure").loc[ANSWER, "mean"] == pytest.approx(right)
    main = pd.read_csv(results / "tables" / "main.csv").set_index(["dataset", "method"])
    assert main.loc[("balanced", "cot"), "seeds"] == 2
    assert main["seeds"].sum() == 6


def test_a_run_is_asked_the_questions_of_other_data_sets_with_more_thoughts_than_it_was_trained_with(results):
    grades = pd.read_csv(
        results / "runs" / "balanced" / "coconut" / "seed1" / "asked" / "changed" / "grades.csv"
    )
    assert set(grades["dataset"]) == {"changed"}
    asked = (results / "data" / "changed" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    assert grades.groupby("k")["question"].nunique().to_dict() == dict.fromkeys((0, 2, 3), len(asked))
    table = pd.read_csv(results / "tables" / "transfer.csv")
    shares = table[(table["asked"] == "changed") & (table["steps"] == "all")]
    assert shares["mean"].tolist() == pytest.approx((100 * grades.groupby("k")["right"].mean()).tolist())


def test_tokens_count_written_tokens_and_continuous_thoughts(results):
    for method, counted in (("coconut", 2), ("pause_as_thought", 0)):
        folder = results / "runs" / "balanced" / method / "seed1"
        rows = [json.loads(line) for line in (folder / "responses.jsonl").read_text().splitlines()]
        written = [len(row["token_ids"]) - row["finished"] for row in rows if row["k"] == 2]
        grades = pd.read_csv(folder / "grades.csv")
        assert grades.loc[grades["k"] == 2, "tokens"].tolist() == [n + counted for n in written]


def test_a_checkpoint_carries_its_provenance(results):
    (folder,) = (results / "stages" / "prosqa" / "seed1").glob("stage2-*")
    card = json.loads((folder / "checkpoint" / "card.json").read_text())
    assert (card["stage"], card["thoughts"]) == (2, 2)
    assert card["spec"]["seed"] == 1
    assert set(card["data"]) == {"train", "valid"}
    assert card["versions"]["torch"]
    history = pd.read_csv(folder / "history.csv")
    assert history.columns.tolist() == [
        "stage", "epoch", "questions", "loss", "accuracy", "removed", "thought_norm",
    ]  # fmt: skip
    assert history["epoch"].tolist() == [0, 1]
    assert history["loss"].isna().tolist() == [True, False]


def test_every_stage_is_spent_on_once_and_every_job_is_measured(results):
    spent = pd.read_csv(results / "tables" / "spent.csv")
    folders = list((results / "stages").glob("*/*/stage*"))
    assert spent["stages"].sum() == len(folders) == 13
    # responses, the other data set that a run is asked, a base model, and each look inside
    inside = ["intervene", "trace", "linear", "attend", "remove"]
    assert spent["other jobs"].sum() == 6 + 1 + 1 + len(inside)
    assert spent["not measured"].sum() == 0
    shared = spent[spent["methods"].str.contains("+", regex=False, na=False)]
    assert shared[["methods", "stages"]].values.tolist() == [["coconut+pause_as_thought", 1]]
    cards = [json.loads((folder / "checkpoint" / "card.json").read_text()) for folder in folders]
    hours = sum(card["seconds"] for card in cards) / 3600
    assert spent["training hours"].sum() == pytest.approx(hours)
    if all(card["device"] == "cpu" for card in cards):
        assert spent["training GPU-hours"].sum() == 0
        assert spent["training kWh"].isna().all()


def test_nothing_is_left_to_do(finished):
    assert finished.planned() == {}


def test_editing_a_figure_draws_it_alone(finished):
    with finished.edited("src/coconut_study/report/figures/accuracy.py"):
        assert finished.planned() == {"figure_accuracy": 2}


def test_editing_the_style_draws_every_figure_again(finished):
    with finished.edited("src/coconut_study/report/coconut.mplstyle"):
        assert finished.planned() == {
            "figure_accuracy": 2, "figure_learning": 2, "figure_sweep": 2, "figure_interventions": 1,
            "figure_tracing": 1, "figure_transfer": 1, "explorer": 1,
        }  # fmt: skip


def test_editing_the_page_of_the_explorer_writes_it_alone(finished):
    with finished.edited("src/coconut_study/report/web/explorer.css"):
        assert finished.planned() == {"explorer": 1}


def test_editing_the_outcomes_reruns_grades_and_what_follows(finished):
    with finished.edited("src/coconut_study/evaluation/outcomes.py"):
        jobs = finished.planned()
    assert jobs["grade"] == 6
    assert not {"questions", "base", "train", "respond", "describe"} & jobs.keys()


def test_editing_the_training_of_a_stage_retrains_and_keeps_the_questions(finished):
    """Coconut 3, pause as thought 2 more, w/o thought 3, CoT 1 on each of two seeds, Coconut on ProsQA 3."""
    with finished.edited("src/coconut_study/training/stage.py"):
        jobs = finished.planned()
    assert jobs["train"] == 13
    assert not {"questions", "base", "describe", "table_data"} & jobs.keys()


def test_changing_one_method_reruns_that_method_alone(finished):
    """Coconut's own six stages on two data sets; pause as thought keeps the stage it shared."""
    overlay = finished.write(
        "changed.yaml", "study: smoke\nmethods: {coconut: {training: {learning_rate: 1.0e-4}}}\n"
    )
    jobs = finished.planned(also=overlay)
    assert (jobs["train"], jobs["respond"], jobs["grade"]) == (6, 2, 2)
    assert not {"questions", "base", "describe", "table_data"} & jobs.keys()


def test_one_more_k_responds_again_and_trains_nothing(finished):
    overlay = finished.write("more.yaml", "study: smoke\nsweep: {methods: [coconut], k: [0]}\n")
    jobs = finished.planned(also=overlay)
    assert jobs["respond"] == 2
    assert "train" not in jobs


def test_the_same_study_gives_the_same_bytes(finished, fresh):
    """One whole run trained again elsewhere: weights, responses and grades, to the last byte."""
    target = "results/smoke/runs/prosqa/coconut/seed1/grades.csv"
    done = fresh.snakemake("--cores", "all", target)
    assert done.returncode == 0, done.stderr[-2000:]
    again = fresh.folder / "results" / "smoke"
    before = finished.folder / "results" / "smoke"
    compared = [
        *again.glob("stages/prosqa/seed1/*/checkpoint/model.safetensors"),
        *again.glob("stages/prosqa/seed1/*/history.csv"),
        *again.glob("runs/prosqa/coconut/seed1/[rg]*"),
    ]
    assert len(compared) == 9  # with the record of the run
    for path in compared:
        assert path.read_bytes() == (before / path.relative_to(again)).read_bytes(), path
    shutil.rmtree(fresh.folder / "results")
