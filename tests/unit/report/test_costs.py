"""Costs: what is planned, what benchmark files and cards measure, and seconds per question."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from coconut_study.report import costs, intervals

TITLES = {"d": "Data set", "cot": "CoT", "coconut": "Coconut"}
HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def entry(rule, *benchmarks, **more):
    return {"rule": rule, "gpus": 0, "memory_mb": 1500, "hours": 2.5, "benchmarks": list(benchmarks)} | more


@pytest.fixture
def benchmark(tmp_path):
    """Writes the benchmark file of a job."""

    def write(name, seconds, rss):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        row = [f"{seconds}", "0:01:46", rss, "1137.12", "361.96", "419.51", "0.19", "-", "80.79", "86.22"]
        path.write_text(HEADER + "\t".join(row) + "\n", encoding="utf-8")
        return name

    return write


def test_memory_is_the_most_of_any_job_and_hours_are_of_all_jobs(benchmark, tmp_path):
    names = [benchmark("train/a/one.tsv", 5400.0, "487.02"), benchmark("train/a/two.tsv", 1800.0, "512.50")]
    (row,) = costs.costs(planned=[entry("train", *names, gpus=1)], benchmarks=tmp_path).to_dict("records")
    assert row == {
        "rule": "train",
        "gpus": 1,
        "memory_mb": 1500,
        "hours": 2.5,
        "jobs": 2,
        "measured jobs": 2,
        "measured memory": 512.5,
        "measured hours": 2.0,
    }


def test_jobs_that_have_not_run_are_not_measured(benchmark, tmp_path):
    plan = [entry("train", benchmark("train/one.tsv", 3600.0, "100.0"), "train/two.tsv", "train/three.tsv")]
    (row,) = costs.costs(planned=plan, benchmarks=tmp_path).to_dict("records")
    assert (row["jobs"], row["hours"]) == (3, 2.5)
    assert (row["measured jobs"], row["measured hours"], row["measured memory"]) == (1, 1.0, 100.0)


def test_where_nothing_ran_measurements_are_missing_and_not_zero(benchmark, tmp_path):
    plan = [entry("base", "base/seed1.tsv"), entry("train", benchmark("train/one.tsv", 1800.0, "100.0"))]
    table = costs.costs(planned=plan, benchmarks=tmp_path).set_index("rule")
    assert table.loc["base", ["measured memory", "measured hours"]].isna().all()
    assert table.loc["base", "measured jobs"] == 0
    assert table.loc["base", "jobs"] == 1
    assert table.loc["train", "measured hours"] == 0.5
    assert costs.costs(planned=plan[:1], benchmarks=tmp_path / "nowhere")["measured hours"].isna().all()


def test_what_snakemake_could_not_measure_is_missing(benchmark, tmp_path):
    """Of a job that ends at once it writes dashes."""
    alone = costs.costs(
        planned=[entry("grade", benchmark("grade/one.tsv", 0.36, "-"))], benchmarks=tmp_path
    ).iloc[0]
    assert alone["measured jobs"] == 1
    assert alone["measured hours"] == pytest.approx(0.0001)
    assert alone[["measured memory"]].isna().all()
    names = ["grade/one.tsv", benchmark("grade/two.tsv", 36.0, "81.25")]
    both = costs.costs(planned=[entry("grade", *names)], benchmarks=tmp_path).iloc[0]
    assert (both["measured jobs"], both["measured memory"]) == (2, 81.25)


def test_costs_are_read_with_dashes_for_what_is_missing(benchmark, tmp_path):
    plan = [
        entry("base", "base/seed1.tsv", gpus=1, memory_mb=16000, hours=1.5),
        entry("train", benchmark("train/one.tsv", 5400.0, "487.6"), "train/two.tsv"),
    ]
    read = costs.format_costs(costs.costs(planned=plan, benchmarks=tmp_path)).set_index("rule")
    assert read.loc["base"].tolist() == ["1", "1", "16000", "–", "1.50", "–", "0"]
    assert read.loc["train"].tolist() == ["2", "0", "1500", "488", "2.50", "1.50", "1"]
    assert list(read.columns) == [
        "jobs", "GPUs a job", "memory planned (MB)", "measured, most (MB)", "hours planned, at most",
        "measured", "jobs measured",
    ]  # fmt: skip


@pytest.fixture
def card(tmp_path):
    """Writes the card of a stage."""

    def write(name, **facts):
        path = tmp_path / name / "card.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(facts), encoding="utf-8")
        return str(path)

    return write


def cell(*cards, methods=("coconut",), dataset="d", jobs=()):
    return {"dataset": dataset, "methods": list(methods), "cards": list(cards), "jobs": list(jobs)}


def test_spent_hours_and_energy_are_summed_over_stages_and_jobs(benchmark, card, tmp_path):
    one = card("one", seconds=7200.0, processes=2, device="cuda:0", energy_joules=1.8e6)
    two = card("two", seconds=3600.0, processes=1, device="cuda", energy_joules=7.2e6)
    jobs = [
        (str(tmp_path / benchmark("respond/one.tsv", 900.0, "1")), 1),
        (str(tmp_path / benchmark("clock/one.tsv", 1800.0, "1")), 4),
    ]
    (row,) = costs.spent(cells=[cell(one, two, jobs=jobs)]).to_dict("records")
    assert row == {
        "dataset": "d",
        "methods": "coconut",
        "stages": 2,
        "training hours": 3.0,
        "training GPU-hours": 5.0,
        "training kWh": 2.5,
        "other jobs": 2,
        "other hours": 0.75,
        "other GPU-hours": 2.25,
        "not measured": 0,
    }


def test_energy_that_one_stage_does_not_tell_is_missing_and_its_hours_are_not(card):
    told = card("told", seconds=3600.0, processes=1, device="cuda", energy_joules=3.6e6)
    untold = card("untold", seconds=3600.0, processes=1, device="cuda", energy_joules=None)
    table = costs.spent(cells=[cell(told, methods=["a"]), cell(told, untold, methods=["b"])])
    assert table["training kWh"].fillna(-1).tolist() == [1.0, -1]
    assert table["training hours"].tolist() == [1.0, 2.0]
    read = costs.format_spent(table, titles={"d": "D", "a": "A", "b": "B"})
    assert read["training kWh"].tolist() == ["1.00", "–", "–"]
    assert read["training hours"].tolist() == ["1.00", "2.00", "3.00"]


def test_a_stage_on_a_processor_takes_no_gpu_hours(card):
    (row,) = costs.spent(cells=[cell(card("one", seconds=36.0, processes=2, device="cpu"))]).to_dict(
        "records"
    )
    assert (row["training hours"], row["training GPU-hours"]) == (0.01, 0.0)
    assert np.isnan(row["training kWh"])


def test_what_has_not_run_is_counted_and_missing(card, benchmark, tmp_path):
    there = card("one", seconds=3600.0, processes=1, device="cuda", energy_joules=1)
    (row,) = costs.spent(
        cells=[cell(there, str(tmp_path / "no" / "card.json"), jobs=[(str(tmp_path / "no.tsv"), 1)])]
    ).to_dict("records")
    assert (row["stages"], row["training hours"], row["not measured"]) == (2, 1.0, 2)
    assert np.isnan(row["other hours"])
    assert np.isnan(row["training kWh"])


def test_a_shared_stage_is_shown_as_shared_and_counted_once_in_all(card):
    def stage(name, hours):
        return card(name, seconds=3600 * hours, processes=1, device="cuda", energy_joules=3.6e6 * hours)

    table = costs.spent(
        cells=[
            cell(stage("own", 2), methods=["a"]),
            cell(stage("other", 3), methods=["b"]),
            cell(stage("both", 10), methods=["a", "b"]),
            cell(methods=[], dataset=None),
        ]
    )
    read = costs.format_spent(table, titles={"d": "D", "a": "A", "b": "B"})
    assert read["data set"].tolist() == ["D", "D", "D", "all", "all"]
    assert read["method"].tolist() == ["A", "B", "shared by A; B", "base models", "all, once each"]
    assert read["training hours"].tolist() == ["2.00", "3.00", "10.00", "–", "15.00"]
    assert read["training kWh"].tolist() == ["2.00", "3.00", "10.00", "–", "15.00"]
    assert read["stages"].tolist() == ["1", "1", "1", "0", "3"]


# ----------------------------------------------------------------------------------------------- clock


def rows_of(table, *columns):
    return table[list(columns)].to_numpy().tolist()


def test_seconds_are_per_question_and_those_one_at_a_time_stand_beside_the_papers():
    times = pd.DataFrame(
        [("d", "cot", seed, size, 10, seconds, "x86")
         for seed, size, seconds in
         ((1, 1, 4.0), (1, 8, 1.0), (2, 1, 6.0), (2, 8, 1.5), (3, 1, 5.0), (3, 8, 1.25))]
        + [("d", "coconut", 1, 1, 10, 0.5, "GPU")],
        columns=["dataset", "method", "seed", "batch size", "questions", "seconds", "device"],
    )  # fmt: skip
    rows = [
        {"dataset": "d", "method": method, "paper_dataset": "prosqa", "paper_method": method}
        for method in ("coconut", "cot", "slow")
    ]
    table = costs.clock(times, {"seconds": {"prosqa": {"cot": 0.47}}}, rows=rows)
    assert rows_of(table, "method", "batch size", "mean", "n", "device") == [
        ["coconut", 1, 0.05, 1, "GPU"], ["cot", 1, 0.5, 3, "x86"], ["cot", 8, pytest.approx(0.125), 3, "x86"],
    ]  # fmt: skip
    assert table["paper seconds"].isna().tolist() == [True, False, True]
    assert table.loc[1, "paper seconds"] == 0.47
    found = intervals.interval([0.4, 0.6, 0.5], (0, math.inf))
    assert table.loc[1, ["low", "high"]].tolist() == pytest.approx([found.low, found.high])
    read = costs.format_clock(table, titles=TITLES)
    assert rows_of(read, "method", "batch", "seconds per question", "paper: seconds") == [
        ["Coconut", "1", "0.0500", "–"],
        ["CoT", "1", f"0.5000 [{found.low:.4f}, {found.high:.4f}]", "0.47"],
        ["CoT", "8", read.loc[2, "seconds per question"], "–"],
    ]


def test_runs_timed_on_several_devices_name_all_of_them():
    times = pd.DataFrame(
        {"dataset": "d", "method": "cot", "seed": [1, 2, 3], "batch size": 1, "questions": 10, "seconds": 1.0,
         "device": ["GPU", "x86", "GPU"]}
    )  # fmt: skip
    row = {"dataset": "d", "method": "cot", "paper_dataset": None, "paper_method": None}
    assert costs.clock(times, {"seconds": {}}, rows=[row])["device"].tolist() == ["GPU, x86"]
