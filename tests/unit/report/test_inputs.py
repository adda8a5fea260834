"""Reading what tables are made from: every run by itself, and none but those that are named."""

import tracemalloc

import pandas as pd
import pytest

from coconut_study.common.errors import StudyError
from coconut_study.evaluation import responses
from coconut_study.report import inputs, scores

from .examples import graded


def written(tables, folder):
    """Grades of runs in files, by the names of the runs."""
    files = {}
    for table in tables:
        dataset, method, seed = table[scores.RUN].iloc[0]
        path = folder / f"{method}-{seed}.csv"
        table.to_csv(path, index=False)
        files[f"{dataset}/{method}/seed{seed}"] = path
    return files


@pytest.fixture
def runs():
    good, bad = ["correct path"] * 3 + ["hallucination"], ["wrong target"] * 3 + ["correct path"]
    numbers = graded("no_cot", 1, 0, ["correct label", "incorrect label"]).assign(**{"right number": [1, 0]})
    coconut = [graded("coconut", 1, 0, bad), graded("coconut", 1, 2, ["correct label"] * 4)]
    return [graded("cot", 1, 0, good), graded("cot", 2, 0, bad), pd.concat(coconut), numbers]


def test_runs_summed_up_file_by_file_are_those_summed_up_together(runs, tmp_path):
    together = scores.by_group(pd.concat(runs, ignore_index=True))
    pd.testing.assert_frame_equal(inputs.grades(written(runs, tmp_path)), together, check_exact=True)
    assert together.groupby("method", sort=False)["numbers"].sum().tolist() == [0, 0, 2]


def test_many_runs_take_the_memory_of_their_counts_and_of_one_file(tmp_path):
    outcomes = ["correct path", "hallucination"] * 1000
    of_groups = [question // 4 for question in range(2000)]
    tables = [graded("coconut", seed, 2, outcomes).assign(group=of_groups) for seed in range(40)]
    files = written(tables, tmp_path)
    peaks = []
    for few in (dict(list(files.items())[:2]), files):
        tracemalloc.start()
        counts = inputs.grades(few)
        assert len(counts) == 500 * len(few)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 4 * counts.memory_usage().sum()  # 9 MB; all grades at once take 12


def test_a_file_without_rows_or_with_those_of_another_run_is_refused(runs, tmp_path):
    files = written(runs[:2], tmp_path)
    pd.concat(runs[:2]).to_csv(files["d/cot/seed2"], index=False)
    with pytest.raises(StudyError, match=r"cot-2.csv: has d/cot/seed1; expected rows of d/cot/seed2 alone"):
        inputs.grades(files)
    runs[1][:0].to_csv(files["d/cot/seed2"], index=False)
    with pytest.raises(StudyError, match=r"cot-2.csv: has no rows; expected rows of d/cot/seed2 alone"):
        inputs.grades(files)


def test_a_row_twice_or_a_question_left_out_is_refused(runs, tmp_path):
    """Such a table was summed up as if every question had been graded once."""
    files = written(runs[:2], tmp_path)
    path, run = files["d/cot/seed2"], runs[1]
    pd.concat([run, run[1:2]]).to_csv(path, index=False)
    words = rf"cot-2.csv, row {len(run) + 2}: is a second row with k 0, question 1; expected one"
    with pytest.raises(StudyError, match=words):
        inputs.grades(files)
    pd.concat([run, run[:-1].assign(k=1)]).to_csv(path, index=False)
    words = rf"cot-2.csv: has {len(run) - 1} of {len(run)} questions with k = 1"
    with pytest.raises(StudyError, match=words):
        inputs.grades(files)


def test_a_run_without_a_file_is_refused(runs, tmp_path):
    files = written(runs, tmp_path)
    files["d/cot/seed1"].unlink()
    with pytest.raises(StudyError, match=r"cot-1.csv: cannot be read as a table"):
        inputs.grades(files)


def test_without_files_there_is_a_table_without_rows():
    assert inputs.values({}).empty
    assert set(inputs.clock({}).columns) >= {"batch size", "questions", "seconds"}


def test_labels_that_look_like_numbers_stay_words(tmp_path):
    pd.DataFrame({"series": ["1"], "label": ["0.30"], "k": [2]}).to_csv(tmp_path / "t.csv", index=False)
    table = inputs.table(tmp_path / "t.csv", ("series", "label", "k"))
    assert table.iloc[0].tolist() == ["1", "0.30", 2]


def test_responses_of_another_run_are_refused(tmp_path):
    path = tmp_path / "responses.jsonl"
    response = responses.Response(
        question=0, k=1, kind="continuous", hidden=1, finished=True, text="### a", token_ids=[1]
    )
    responses.write(path, {"dataset": "d", "method": "coconut", "seed": 1}, [response])
    assert [one.text for one in inputs.responses({"d/coconut/seed1": path}, 1)] == ["### a"]
    with pytest.raises(StudyError, match="has responses of d/coconut/seed1; expected those of d/cot/seed1"):
        inputs.responses({"d/cot/seed1": path}, 1)
