"""Tables and figures of the experiments, and answers compared by value."""

import math
from io import StringIO

import pandas as pd
import pytest

from coconut_study.engine.tokenizer import word_level
from coconut_study.evaluation.grade import COLUMNS, grade
from coconut_study.evaluation.responses import Response
from coconut_study.evaluation.settings import Grading
from coconut_study.questions.question import Question
from coconut_study.report import costs, figures, intervals, results, thoughts
from coconut_study.sequences.templates import TEMPLATES, Text, is_right, is_right_number

TITLES = {"d": "Data set", "e": "Other set", "cot": "CoT", "coconut": "Coconut", "slow": "Slow & steady"}


def graded(method, seed, k, n_right, dataset="d", tokens_=4):
    """Ten grades of a run at k thoughts."""
    right = [True] * n_right + [False] * (10 - n_right)
    outcomes = ["correct path" if one else "hallucination" for one in right]
    return pd.DataFrame(
        {"dataset": dataset, "method": method, "seed": seed, "k": k, "question": range(10),
         "outcome": outcomes, "right": right, "right number": None, "tokens": tokens_, "finished": True}
    )  # fmt: skip


def rows_of(table, *columns):
    return table[list(columns)].to_numpy().tolist()


# ------------------------------------------------------------------------------------------ comparison


def point(series, label, method, k=0, dataset="d"):
    return {"dataset": dataset, "series": series, "label": label, "method": method, "k": k}


@pytest.fixture
def grades():
    """CoT with seeds 1 and 2, Coconut with seeds 1, 2 and 3 at two numbers of thoughts, slow with seed 4."""
    runs = [graded("cot", 1, 0, 5), graded("cot", 2, 0, 7)]
    for seed, n_right in ((1, 6), (2, 9), (3, 2)):
        runs += [graded("coconut", seed, 2, n_right, tokens_=6), graded("coconut", seed, 0, 1)]
    return pd.concat([*runs, graded("slow", 4, 0, 10)])


def test_a_comparison_has_the_difference_to_the_first_of_its_series_seed_by_seed(grades):
    points = [point("line", "a", "cot"), point("line", "b", "coconut", 2), point("other", "b", "coconut", 2)]
    table = results.comparison(intervals.by_seed(grades), points)
    assert rows_of(table, "series", "label", "method", "k") == [
        ["line", "a", "cot", 0], ["line", "b", "coconut", 2], ["other", "b", "coconut", 2],
    ]  # fmt: skip
    assert table["mean"].tolist() == pytest.approx([60, 170 / 3, 170 / 3])
    assert table["n"].tolist() == [2, 3, 3]
    assert table["tokens"].tolist() == [4, 6, 6]
    assert table["difference"].tolist() == [0, 15, 0]  # 60 - 50 and 90 - 70; seed 3 has no CoT
    apart = intervals.interval([10, 20])
    assert table.loc[1, ["difference low", "difference high"]].tolist() == pytest.approx(
        [apart.low, apart.high]
    )
    accuracy = intervals.interval([60, 90, 20], (0, 100))
    assert table.loc[1, ["low", "high"]].tolist() == pytest.approx([accuracy.low, accuracy.high])


def test_runs_without_a_seed_in_common_have_no_difference(grades):
    table = results.comparison(
        intervals.by_seed(grades), [point("line", "a", "cot"), point("line", "b", "slow")]
    )
    assert table["mean"].tolist() == [60, 100]
    assert table.loc[1, ["difference", "difference low", "difference high", "low"]].isna().all()
    read = results.show_comparison(table, TITLES)
    assert rows_of(read, "method", "seeds", "accuracy (%)", "to the first") == [
        ["CoT", "2", "60.0 [0.0, 100.0]", "0.0 [0.0, 0.0]"], ["Slow & steady", "1", "100.0", "–"],
    ]  # fmt: skip


def test_a_point_without_a_run_is_missing(grades):
    table = results.comparison(
        intervals.by_seed(grades), [point("line", "a", "coconut", 5), point("line", "b", "coconut", 2)]
    )
    assert table["n"].tolist() == [0, 3]
    assert table.loc[0, ["mean", "low", "high", "tokens", "difference"]].isna().all()
    read = results.show_comparison(table, TITLES).iloc[0]
    assert read[["accuracy (%)", "to the first", "tokens"]].tolist() == ["–", "–", "–"]


def test_each_data_set_has_a_first_point_of_its_own(grades):
    both = pd.concat([grades, grades.assign(dataset="e", right=True)])
    points = [point("line", k, "coconut", k, dataset) for dataset in ("d", "e") for k in (0, 2)]
    table = results.comparison(intervals.by_seed(both), points)
    assert rows_of(table, "dataset", "k", "difference") == [
        ["d", 0, 0], ["d", 2, pytest.approx(140 / 3)], ["e", 0, 0], ["e", 2, 0],
    ]  # fmt: skip
    read = results.show_comparison(table, TITLES)
    assert read["data set"].tolist() == ["Data set"] * 2 + ["Other set"] * 2
    assert read["at"].tolist() == read["k"].tolist() == ["0", "2", "0", "2"]


# ---------------------------------------------------------------------------------------------- stages


def history(stage, accuracies):
    later = len(accuracies) - 1
    return pd.DataFrame(
        {"stage": stage, "epoch": range(later + 1), "questions": [0] + [10] * later,
         "loss": [math.nan] + [1.0] * later, "accuracy": accuracies}
    )  # fmt: skip


@pytest.fixture
def learnt():
    runs = [
        ({"dataset": "d", "method": "coconut", "seed": seed},
         [history(0, [0.0, 0.2, 0.6 + more]), history(1, [0.3 + more, 0.5 + more])])
        for seed, more in ((1, 0.0), (2, 0.2))
    ]  # fmt: skip
    runs.append(({"dataset": "d", "method": "cot", "seed": 1}, [history(0, [0.1, 0.9])]))
    return results.learning(runs)


def test_stages_have_accuracy_before_their_first_update_and_at_their_end(learnt):
    table = results.stages(learnt)
    assert rows_of(table, "method", "stage", "first mean", "last mean", "n") == [
        ["coconut", 0, 0, pytest.approx(70), 2],
        ["coconut", 1, pytest.approx(40), pytest.approx(60), 2],
        ["cot", 0, pytest.approx(10), pytest.approx(90), 1],
    ]
    found = intervals.interval([30, 50], (0, 100))
    assert table.loc[1, ["first low", "first high"]].tolist() == pytest.approx([found.low, found.high])
    assert table.loc[2, ["first low", "first high", "last low", "last high"]].isna().all()
    read = results.show_stages(table, TITLES)
    assert read.iloc[2].tolist() == ["Data set", "CoT", "0", "10.0", "90.0"]
    assert read.loc[1, "at its first step (%)"] == "40.0 [0.0, 100.0]"


# ----------------------------------------------------------------------------------------------- clock


def test_seconds_are_per_question_and_those_one_at_a_time_stand_beside_the_papers():
    times = pd.DataFrame(
        [("d", "cot", seed, size, 10, seconds, "x86")
         for seed, size, seconds in ((1, 1, 4.0), (1, 8, 1.0), (2, 1, 6.0), (2, 8, 1.5))]
        + [("d", "coconut", 1, 1, 10, 0.5, "GPU")],
        columns=["dataset", "method", "seed", "batch size", "questions", "seconds", "device"],
    )  # fmt: skip
    rows = [
        {"dataset": "d", "method": method, "paper_dataset": "prosqa", "paper_method": method}
        for method in ("coconut", "cot", "slow")
    ]
    table = costs.clock(times, rows, {"seconds": {"prosqa": {"cot": 0.47}}})
    assert rows_of(table, "method", "batch size", "mean", "n", "device") == [
        ["coconut", 1, 0.05, 1, "GPU"], ["cot", 1, 0.5, 2, "x86"], ["cot", 8, pytest.approx(0.125), 2, "x86"],
    ]  # fmt: skip
    assert table["paper seconds"].isna().tolist() == [True, False, True]
    assert table.loc[1, "paper seconds"] == 0.47
    found = intervals.interval([0.4, 0.6], (0, math.inf))
    assert table.loc[1, ["low", "high"]].tolist() == pytest.approx([found.low, found.high])
    read = costs.show_clock(table, TITLES)
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
    assert costs.clock(times, [row], {"seconds": {}})["device"].tolist() == ["GPU, x86"]


# ---------------------------------------------------------------------------------------------- ending


def test_both_ways_to_end_thoughts_have_accuracy_and_thoughts_by_seed():
    def ends(seed, fixed, stopped, ks):
        return pd.DataFrame(
            {"dataset": "d", "method": "coconut", "seed": seed, "question": range(4), "fixed k": 3,
             "fixed right": fixed, "classifier k": ks, "classifier right": stopped}
        )  # fmt: skip

    table = thoughts.ending(
        pd.concat(
            [
                ends(1, [True, True, True, False], [True, False, True, False], [0, 1, 1, 2]),
                ends(2, [True, True, True, True], [True, True, True, False], [2, 2, 2, 2]),
            ]
        )
    )
    assert rows_of(table, "way", "mean", "n", "thoughts") == [
        ["fixed", 87.5, 2, 3.0], ["classifier", 62.5, 2, 1.5],
    ]  # fmt: skip
    read = thoughts.show_ending(table, TITLES)
    assert rows_of(read, "method", "thoughts end", "seeds", "thoughts") == [
        ["Coconut", "at a fixed number", "2", "3.00"], ["Coconut", "by a classifier", "2", "1.50"],
    ]  # fmt: skip
    single = thoughts.ending(ends(1, [True] * 4, [False] * 4, [0] * 4))
    assert thoughts.show_ending(single, TITLES)["accuracy (%)"].tolist() == ["100.0", "0.0"]


# ----------------------------------------------------------------------------------- answers as numbers


def problem(answer):
    return Question("How many?", ("<<2*9=18>>",), answer)


@pytest.mark.parametrize(
    ("gold", "response", "right"),
    [
        ("18", "### 18", True),
        ("18", "### 18.0", True),
        ("18", "### 18.", True),
        ("18", "### 18.5", False),
        ("18", "### 81", False),
        ("18", "### $18", True),
        ("18", "### 18 %", True),
        ("18", "### +18", True),
        ("18", "### -18", False),
        ("-18", "### - 18", True),
        ("1005", "### $1,005", True),
        ("1,005", "### 1005.00", True),
        ("1005", "### 1 , 005", True),
        ("12.5", "### 12 . 5", True),
        ("12.5", "### 12.50", True),
        ("0.5", "### .5", True),
        ("18", "<<2*9=18>>\n### 18", True),
        ("18", "### 17 ### 18", True),
        ("18", "#### 18", True),
        ("18", "18", False),
        ("18", "", False),
        ("18", "###", False),
        ("18", "### eighteen", False),
        ("18", "### 18 apples", False),
        ("18", "### 18 18", False),
        ("12", "### 1 2", False),
        ("Alex is a rompus.", "### Alex is a rompus.", None),
        ("Alex is a rompus.", "### 18", None),
        ("True", "nothing", None),
    ],
)
def test_answers_are_compared_by_value_where_the_gold_one_is_a_number(gold, response, right):
    assert is_right_number(problem(gold), response) is right


@pytest.mark.parametrize("number", ["12.5", "$1,005", "-3", "18"])
def test_a_number_comes_back_from_a_word_tokenizer(number):
    tokenizer = word_level([Text("How many?", [], f"### {number}")])
    decoded = tokenizer.decode(tokenizer(f"### {number}", add_special_tokens=False)["input_ids"])
    assert is_right_number(problem(number), decoded) is True


def test_grades_have_both_ways_to_compare_and_come_back_from_a_file():
    def answered(question, text):
        return Response(
            question=question, k=0, kind="none", hidden=0, finished=True, text=text, token_ids=[1, 2]
        )

    asked = [problem("18"), problem("True"), problem("7")]
    responses = [answered(0, "### 18.0"), answered(1, "### True"), answered(2, "### 7")]
    found = grade(responses, asked, TEMPLATES["prose"], Grading(hidden_prefix="completable"))
    assert list(found.columns) == list(COLUMNS)
    assert found["right"].tolist() == [False, True, True]
    assert found["right number"].tolist() == [True, None, True]
    assert not is_right(asked[0], "### 18.0", TEMPLATES["prose"])
    again = pd.read_csv(StringIO(found.to_csv(index=False)))
    for table in (found, again):
        table = table.assign(dataset="d", method="cot", seed=1)
        (row,) = intervals.by_seed(table).to_dict("records")
        assert row[intervals.ANSWER] == pytest.approx(200 / 3)
        assert row[intervals.VALUE] == 100
    words = pd.read_csv(StringIO(found[1:2].to_csv(index=False)))
    assert math.isnan(intervals.by_seed(words)[intervals.VALUE].item())


# --------------------------------------------------------------------------------------------- figures


def drawn(figure, folder):
    """The text of a figure's SVG."""
    figures.save(figure, folder / "figure.svg")
    return (folder / "figure.svg").read_text(encoding="utf-8")


def test_the_figure_of_stages_has_a_panel_for_every_staged_run(learnt, tmp_path):
    other = learnt.assign(dataset="e")[learnt["method"] == "coconut"]
    slow = learnt.assign(method="slow")[learnt["method"] == "coconut"]
    table = results.stages(pd.concat([learnt, other, slow]))
    svg = drawn(figures.stages(table, TITLES), tmp_path)
    for label in ("Data set", "Other set", "Coconut", "Slow &amp; steady", "stage", "right answers (%)"):
        assert f">{label}<" in svg, label
    assert "before the stage's first update" in svg
    assert "at its end" in svg
    assert ">CoT<" not in svg  # a single stage has no course


def test_the_figure_of_stages_is_drawn_without_staged_runs(learnt, tmp_path):
    table = results.stages(learnt[learnt["method"] == "cot"])
    assert "<svg" in drawn(figures.stages(table, TITLES), tmp_path)


@pytest.fixture
def compared(grades):
    points = [
        point("first line", "0.1", "cot"), point("first line", "0.3", "coconut", 2),
        point("second line", "0.1", "slow"), point("second line", "0.3", "coconut", 0),
    ]  # fmt: skip
    return results.comparison(intervals.by_seed(grades), points)


@pytest.mark.parametrize("x", ["label", "k", "tokens"])
def test_the_figure_of_a_comparison_has_a_line_a_series(compared, tmp_path, x):
    svg = drawn(figures.comparison(compared, x, "what is across", TITLES), tmp_path)
    for label in ("Data set", "first line", "second line", "what is across", "right answers (%)"):
        assert f">{label}<" in svg, label
    assert (svg.count(">0.3<") >= 2) == (x == "tokens")  # there each point has its label beside it


def test_words_are_rows_of_the_figure_of_a_comparison(compared, tmp_path):
    table = compared.assign(label=["plain", "0.3", "odd & even", "0.1"])
    both = pd.concat([table, table.assign(dataset="e")])
    svg = drawn(figures.comparison(both, "label", "", TITLES), tmp_path)
    for label in ("first line: plain", "first line: 0.3", "second line: odd &amp; even", "second line: 0.1"):
        assert svg.count(f">{label}<") == 2, label
    assert ">Data set<" in svg
    assert ">Other set<" in svg


def test_a_comparison_draws_every_series_however_many(grades, tmp_path):
    points = [point(f"line {number}", at, "coconut", 2) for number in range(12) for at in ("1", "2")]
    svg = drawn(
        figures.comparison(results.comparison(intervals.by_seed(grades), points), "label", "x", TITLES),
        tmp_path,
    )
    for number in range(12):
        assert f">line {number}<" in svg, number


def test_learning_draws_every_method_however_many(learnt, tmp_path):
    one = learnt[learnt["method"] == "coconut"]
    titles = TITLES | {f"m{number}": f"Method {number}" for number in range(12)}
    table = pd.concat([one.assign(method=f"m{number}") for number in range(12)])
    svg = drawn(figures.learning(table, titles), tmp_path)
    for number in range(12):
        assert f">Method {number}<" in svg, number
