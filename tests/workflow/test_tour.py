"""The tour: every method, data set and experiment of the paper runs, and every table and figure appears."""

from itertools import product
from pathlib import Path

import pandas as pd
import pytest
import yaml

from .conftest import ROOT, Project

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

DATASETS = ("gsm8k", "prontoqa", "prosqa")
ROWS = yaml.safe_load((ROOT / "config" / "methods.yaml").read_text())["methods"]
METHODS = tuple(name for name, row in ROWS.items() if "paper" in row)
COMPARISONS = ("thoughts_per_step", "efficiency", "mixing", "recipe", "start")


@pytest.fixture(scope="module")
def tour(tmp_path_factory) -> Project:
    """A project in which the tour has run to its report."""
    project = Project(tmp_path_factory.mktemp("tour"))
    done = project.snakemake(
        "--cores", "all", "--report", "results/tour/report.html", "--report-after-run", study="tour"
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return project


@pytest.fixture(scope="module")
def results(tour) -> Path:
    return tour.folder / "results" / "tour"


def table(results: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(results / "tables" / f"{name}.csv")


def test_every_method_answers_every_data_set(results):
    main = table(results, "main").dropna(subset=["seeds"])
    found = set(main[["dataset", "method"]].itertuples(index=False, name=None))
    assert len(METHODS) == 8
    assert set(product(DATASETS, METHODS)) <= found
    assert set(product(["prosqa"], ROWS)) <= found
    assert main["accuracy"].between(0, 100).all()
    assert main["tokens"].gt(0).all()


def test_every_table_is_there_in_every_format(results):
    names = ["main", "seeds", "sweep", "claims", "data", "stages", "costs", "spent", "clock", "ending"]
    names += ["parallelism", "best", "contrasts", "heights", "decoded"]
    names += [*(f"comparison-{name}" for name in COMPARISONS)]
    for name, suffix in product(names, (".csv", ".md", ".tex", ".html")):
        assert (results / "tables" / f"{name}{suffix}").stat().st_size > 50, (name, suffix)


def test_every_figure_is_there_in_every_format(results):
    names = ["accuracy-prosqa", "learning-prosqa", "sweep-prosqa-coconut", "values-prosqa"]
    names += ["tree-prosqa-coconut"]
    names += [f"comparison-{name}" for name in COMPARISONS]
    for name, suffix in product(names, (".svg", ".pdf", ".png")):
        assert (results / "figures" / f"{name}{suffix}").stat().st_size > 1000, (name, suffix)
    assert (results / "report.html").stat().st_size > 100_000


def test_experiments_have_all_their_points(results):
    c = table(results, "comparison-thoughts_per_step")
    assert c["label"].tolist() == [0, 1, 2, 3]
    assert c["k"].tolist() == [0, 1, 2, 3]
    mixing = table(results, "comparison-mixing")
    assert set(zip(mixing["series"], mixing["k"], strict=True)) == set(product((0.0, 0.3), (0, 1, 2)))
    assert len(table(results, "comparison-recipe")) == 15
    efficiency = table(results, "comparison-efficiency")
    assert efficiency.groupby("series")["label"].agg(list).tolist() == [["m = 0", "m = 1", "all"]] * 2


def test_stages_clock_endings_and_probes_have_their_rows(results):
    stages = table(results, "stages").groupby(["dataset", "method"])["stage"].agg(list)
    assert stages["gsm8k", "coconut"] == [0, 1, 2]
    assert stages["prosqa", "icot"] == [2]
    clock = table(results, "clock")
    assert set(zip(clock["method"], clock["batch size"], strict=True)) == set(
        product(("cot", "no_cot", "coconut"), (1, 4))
    )
    assert clock["mean"].gt(0).all()
    ending = table(results, "ending")
    assert set(ending["way"]) == {"fixed", "classifier"}
    assert ending.loc[ending["way"] == "fixed", "thoughts"].isin([1, 2]).all()
    assert set(table(results, "parallelism")["k"]) == {1, 2}
    assert table(results, "decoded").groupby(["dataset", "seed", "question", "thought"]).size().eq(3).all()


def test_claims_of_one_or_two_seeds_are_undecided_and_others_not_run(results):
    claims = table(results, "claims")
    assert set(claims["verdict"]) == {"undecided", "not run"}
    ran = claims[claims["seeds"] > 0]
    assert ran["verdict"].eq("undecided").all()
    assert ran["note"].str.endswith("an interval needs 3").all()
    assert ran["difference"].notna().all()
    others = claims[claims["seeds"] == 0]
    assert others["verdict"].eq("not run").all()
    assert others["difference"].isna().all()
    assert set(ran["dataset"]) == {"gsm8k", "prontoqa", "prosqa"}
    assert claims.loc[claims["claim"].str.contains("Llama"), "verdict"].eq("not run").all()


def test_answers_that_are_numbers_are_compared_as_numbers_too(results):
    grades = pd.read_csv(results / "runs" / "gsm8k" / "coconut" / "seed0" / "grades.csv")
    assert grades["right number"].notna().all()
    logic = pd.read_csv(results / "runs" / "prontoqa" / "coconut" / "seed0" / "grades.csv")
    assert logic["right number"].isna().all()


def test_a_run_that_starts_from_another_has_no_stage_of_its_own_there(tour):
    jobs = tour.planned("results/tour/runs/gsm8k/coconut_from_cot/seed0/grades.csv", study="tour")
    assert jobs == {}
    stages = sorted(path.name[:6] for path in (tour.folder / "results/tour/stages/gsm8k/seed0").iterdir())
    assert {"stage0", "stage1", "stage2"} == set(stages)
