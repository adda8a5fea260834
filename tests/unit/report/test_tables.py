import math
import tracemalloc

import pandas as pd
import pytest
from scipy import stats

from coconut_study.evaluation.outcomes import Outcome
from coconut_study.report import commands, figures, intervals, markup, results

TITLES = {"d": "Data & set", "cot": "CoT", "coconut": "Coconut", "no_cot": "No-CoT"}
PAPER = {
    "accuracy": {"prosqa": {"cot": {"accuracy": 77.5, "sd": 1.9, "tokens": 49.4, "reference": "Table 1"}}},
    "statistics": {
        "prosqa": {"title": "ProsQA (released)", "reference": "files", "questions": 800, "nodes": 22.81}
    },
}
ROWS = [
    {"dataset": "d", "method": method, "k": k, "paper_dataset": "prosqa", "paper_method": method}
    for method, k in (("cot", 0), ("coconut", 2))
]

RULES = pd.DataFrame({"dataset": ["d"], "rule": ["coin"], "accuracy": [50.0]})


def graded(method, seed, k, outcomes):
    right = [o in ("correct label", "correct path") for o in outcomes]
    return pd.DataFrame(
        {"dataset": "d", "method": method, "seed": seed, "k": k, "question": range(len(outcomes)),
         "outcome": outcomes, "right": right, "right number": None, "tokens": 4 + k, "finished": True}
    )  # fmt: skip


@pytest.fixture
def grades():
    good, bad = ["correct path"] * 3 + ["hallucination"], ["wrong target"] * 3 + ["correct path"]
    labels = ["correct label"] * 4
    return pd.concat(
        [
            graded("cot", 1, 0, good),
            graded("cot", 2, 0, bad),
            graded("coconut", 1, 0, bad),
            graded("coconut", 1, 2, labels),
        ]
    )


def test_an_interval_is_students_and_a_single_seed_has_none():
    found = intervals.interval([70, 80, 90])
    low, high = stats.t.interval(0.95, 2, loc=80, scale=stats.sem([70, 80, 90]))
    assert (found.mean, found.low, found.high, found.n) == pytest.approx((80, low, high, 3))
    single = intervals.interval([70])
    assert (single.mean, single.n) == (70, 1)
    assert math.isnan(single.low)
    assert math.isnan(single.high)
    assert intervals.interval([99, 90], (0, 100)).high == 100


def test_the_main_table_takes_the_trained_number_of_thoughts_and_sets_the_paper_beside(grades):
    table = results.main(intervals.by_seed(grades), ROWS, PAPER, RULES, 95).set_index("method")
    assert table.loc["cot", ["seeds", "accuracy", "tokens"]].tolist() == [2, 50, 4]
    assert table.loc["coconut", ["seeds", "accuracy", "tokens"]].tolist() == [1, 100, 6]
    assert table.loc["cot", "paper accuracy"] == 77.5
    assert math.isnan(table.loc["coconut", "paper accuracy"])
    assert math.isnan(table.loc["coconut", "low"])
    assert table.loc[["cot", "coconut"], "worked"].tolist() == [0, 1]
    rule = table.loc["shortcut: coin"]
    assert rule["accuracy"] == 50
    assert pd.isna(rule["seeds"])


def test_every_run_stands_by_itself(grades):
    table = results.seeds(intervals.by_seed(grades), ROWS)
    assert table[["method", "seed", "accuracy"]].to_numpy().tolist() == [
        ["cot", 1, 75], ["cot", 2, 25], ["coconut", 1, 100],
    ]  # fmt: skip
    read = results.show_seeds(table, TITLES).set_index("method")
    assert read.loc["CoT", ["seed 1 (%)", "seed 2 (%)"]].tolist() == ["75.0", "25.0"]
    assert read.loc["Coconut", "seed 2 (%)"] == "–"


def test_a_missing_number_is_never_shown_as_zero(grades):
    table = results.main(intervals.by_seed(grades), ROWS, PAPER, RULES, 95)
    read = results.show_main(table, TITLES).set_index("method")
    assert read.loc["Coconut", "paper: accuracy (%)"] == "–"
    assert read.loc["Coconut", "accuracy (%)"] == "100.0"
    assert read.loc["CoT", "accuracy (%)"] == "50.0 [0.0, 100.0]"
    assert read.loc["CoT", "paper: accuracy (%)"] == "77.5 ± 1.9"
    assert ",," in table.to_csv(index=False)


def test_the_sweep_has_every_outcome_and_they_make_up_all_responses(grades):
    table = results.sweep(intervals.by_seed(grades))
    assert set(table["measure"]) == set(intervals.MEASURES)
    outcomes = table[table["measure"] != intervals.ANSWER]
    totals = outcomes.groupby(["method", "k"])["mean"].sum()
    assert totals.tolist() == pytest.approx([100] * 3)
    cot = outcomes[outcomes["method"] == "cot"].set_index("measure")["mean"]
    assert (cot["correct path"], cot["wrong target"], cot["longer path"]) == (50, 37.5, 0)
    read = results.show_sweep(table, TITLES)
    assert len(read) == 3
    assert "right answer (%)" in read


def test_learning_curves_put_stages_end_to_end():
    def history(stage, accuracies):
        return pd.DataFrame(
            {"stage": stage, "epoch": range(len(accuracies)), "questions": 10, "loss": 1.0,
             "accuracy": accuracies}
        )  # fmt: skip

    runs = [
        ({"dataset": "d", "method": "coconut", "seed": s}, [history(0, [0.1, a]), history(1, [a])])
        for s, a in ((1, 0.4), (2, 0.6))
    ]
    table = results.learning(runs)
    assert table["seen"].tolist() == [10, 20, 30]
    assert table["mean"].tolist() == pytest.approx([10, 50, 50])
    assert table["n"].tolist() == [2, 2, 2]


def test_data_statistics_stand_beside_the_published_ones():
    ours = {"Toy (test)": pd.Series({"questions": 8.0, "steps": 3.0})}
    table = results.data(ours, PAPER).set_index("measure")
    assert table.loc["questions"].tolist() == [800, 8]
    assert math.isnan(table.loc["nodes", "Toy (test)"])
    read = results.show_data(table.reset_index()).set_index("measure")
    assert read.loc["nodes"].tolist() == ["22.81", "–"]


def test_tables_are_printed_as_markdown_booktabs_and_html(grades):
    read = results.show_main(results.main(intervals.by_seed(grades), ROWS, PAPER, RULES, 95), TITLES)
    assert markup.markdown(read).startswith("| data set ")
    latex = markup.latex(read)
    assert r"\toprule" in latex
    assert r"Data \& set & CoT & 50.0 [0.0, 100.0]" in latex
    assert r"77.5 $\pm$ 1.9" in latex
    page = markup.html(read)
    assert "<td>Data &amp; set</td>" in page
    assert "<td>77.5 ± 1.9</td>" in page


def test_figures_are_written_in_three_formats_the_same_each_time(grades, tmp_path):
    sweep, learning = results.sweep(intervals.by_seed(grades)), pd.DataFrame(
        {"dataset": "d", "method": "cot", "stage": 0, "epoch": [0, 1], "seen": [10, 20], "mean": [10, 20],
         "low": math.nan, "high": math.nan, "n": 1, "loss": 1.0}
    )  # fmt: skip
    for run in ("one", "two"):
        figures.save(figures.sweep(sweep, TITLES, ["no_cot", "cot"]), tmp_path / run / "sweep.svg")
        figures.save(
            figures.accuracy(
                results.main(intervals.by_seed(grades), ROWS, PAPER, RULES, 95),
                results.seeds(intervals.by_seed(grades), ROWS),
                TITLES,
            ),
            tmp_path / run / "a.svg",
        )
        figures.save(figures.learning(learning, TITLES), tmp_path / run / "learning.svg")
    for name in ("sweep", "a", "learning"):
        for suffix in (".svg", ".pdf", ".png"):
            one, two = (tmp_path / run / f"{name}{suffix}" for run in ("one", "two"))
            assert one.read_bytes() == two.read_bytes(), (name, suffix)
    drawn = (tmp_path / "one" / "sweep.svg").read_text()
    assert all(outcome.value in drawn for outcome in Outcome)
    assert "Coconut, k = 2" in drawn


def test_runs_summed_up_file_by_file_are_those_summed_up_together(grades, tmp_path):
    numbers = graded("no_cot", 1, 0, ["correct label", "incorrect label"]).assign(**{"right number": [1, 0]})
    everything = pd.concat([grades, numbers], ignore_index=True)
    paths = []
    for number, (_, run) in enumerate(everything.groupby(intervals.RUN, sort=False)):
        paths.append(tmp_path / f"{number}.csv")
        run.to_csv(paths[-1], index=False)
    assert len(paths) == 4
    together = intervals.by_seed(everything)
    pd.testing.assert_frame_equal(commands._runs(paths), together, check_exact=True)
    assert together["right value"].isna().tolist() == [True] * 4 + [False]


def test_the_memory_for_many_runs_is_that_of_one(tmp_path):
    outcomes = ["correct path", "hallucination"] * 1000
    paths = [tmp_path / f"{seed}.csv" for seed in range(40)]
    for seed, path in enumerate(paths):
        graded("coconut", seed, 2, outcomes).to_csv(path, index=False)
    peaks = []
    for few in (paths[:2], paths):
        tracemalloc.start()
        assert len(commands._runs(few)) == len(few)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]
