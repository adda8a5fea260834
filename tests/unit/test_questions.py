import json
from dataclasses import replace

import numpy as np
import pytest

from coconut_study import graphs, questions
from coconut_study.config import Balanced, File, Files, Prosqa
from coconut_study.errors import StudyError

SMALL = {"persons": 2, "concepts": 10, "sizes": {"train": 20, "valid": 6, "test": 8}, "seed": 0}


def balanced(**changes):
    shape = {"source": "balanced", "nodes": 12, "edges": 14, "hops": (3, 3)}
    return Balanced.model_validate(shape | SMALL | changes)


def test_the_solver_accepts_all_published_validation_questions(shared):
    assert len(questions.read(shared("data/prosqa_valid.json"))) == 300


def test_published_json_comes_out_as_it_went_in(shared, tmp_path):
    source = shared("data/prosqa_valid.json")
    questions.write(tmp_path / "again.json", questions.read(source))
    questions.write(tmp_path / "lines.jsonl", questions.read(tmp_path / "again.json"))
    published = json.loads(source.read_text())
    assert json.loads((tmp_path / "again.json").read_text()) == published
    assert [json.loads(line) for line in (tmp_path / "lines.jsonl").read_text().splitlines()] == published


def test_questions_without_a_graph_are_read(shared):
    found = questions.read(shared("data/prontoqa_valid.json"))
    assert len(found) == 200
    assert {question.graph for question in found} == {None}


def test_an_asked_question_is_sound_and_in_the_published_words(question):
    assert questions.fault(question) is None
    assert question.answer == "Alex is a rompus."
    assert question.question.count(" is a ") == 7
    assert question.question.endswith(("a rompus or gorpus?", "a gorpus or rompus?"))
    assert "Every lempus is a rompus." in question.question


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": ("Alex is a lempus.",)}, "shortest path"),
        (
            {"steps": ("Alex is a lempus.", "Every lempus is a dumpus.", "Every dumpus is a rompus.")},
            "shortest",
        ),
        ({"answer": "Alex is a gorpus."}, "answer"),
        ({"question": "Alex is a lempus. Is Alex a rompus or gorpus?"}, "sentences"),
    ],
)
def test_text_that_contradicts_the_graph_is_found(question, change, words):
    assert words in questions.fault(replace(question, **change))


def test_generated_splits_share_no_graph_up_to_renaming():
    splits = questions.generate(balanced())
    assert {split: len(found) for split, found in splits.items()} == {"train": 20, "valid": 6, "test": 8}
    marks = [graphs.fingerprint(q.graph) for found in splits.values() for q in found]
    assert len(set(marks)) == len(marks) / 2  # two mirror questions a graph
    for found in splits.values():
        for one, other in zip(found[::2], found[1::2], strict=True):
            assert one.graph.edges == other.graph.edges
            assert one.graph.names == other.graph.names
            assert one.answer != other.answer


def test_generation_depends_on_the_seed_alone_and_tests_do_not_move_with_the_training_size():
    again = questions.generate(balanced())
    assert again == questions.generate(balanced())
    assert again != questions.generate(balanced(seed=1))
    larger = questions.generate(balanced(sizes={"train": 40, "valid": 6, "test": 8}))
    assert (larger["test"], larger["valid"]) == (again["test"], again["valid"])


def test_smaller_prosqa_questions():
    settings = {"source": "prosqa", "nodes": 12, "hops": (2, 4)} | SMALL | {"persons": 17, "concepts": 38}
    found = questions.generate(Prosqa.model_validate(settings))["train"]
    assert {len(question.steps) for question in found} <= {2, 3, 4}


def test_impossible_graphs_are_refused_with_a_sentence():
    with pytest.raises(StudyError, match="gave no new graph"):
        questions.generate(balanced(nodes=8, edges=7, hops=(3, 3), concepts=6))


def test_a_redrawn_question_is_the_same_graph_under_other_names(question):
    other = questions.redraw(question, np.random.default_rng(1), persons=2, concepts=5)
    assert other.graph.edges == question.graph.edges
    assert other.question != question.question
    assert questions.fault(other) is None


@pytest.mark.parametrize("field", ["question", "answer", "steps", "idx_to_symbol", "root", "neg_target"])
def test_a_missing_field_is_named_with_file_and_row(question, tmp_path, field):
    good, bad = questions.to_json(question), questions.to_json(question)
    del bad[field]
    path = tmp_path / "questions.json"
    path.write_text(json.dumps([good, bad]))
    with pytest.raises(StudyError, match=rf'questions.json, question 1: has no field "{field}"'):
        questions.read(path)


def test_bad_files_are_named(tmp_path):
    path = tmp_path / "questions.jsonl"
    with pytest.raises(StudyError, match="cannot be read"):
        questions.read(path)
    path.write_text('{"question": \n')
    with pytest.raises(StudyError, match="line 1: not JSON"):
        questions.read(path)
    path.write_text("")
    with pytest.raises(StudyError, match="no question"):
        questions.read(path)


def test_files_are_checked_by_count_and_checksum(question, tmp_path):
    path = tmp_path / "q.json"
    questions.write(path, [question])
    good = File(path=str(path), count=1)
    assert questions.load(Files(source="files", train=good, valid=good, test=good))["test"] == [question]
    for wrong in (File(path=str(path), count=2), File(path=str(path), sha256="0" * 64)):
        with pytest.raises(StudyError, match=r"q\.json.* the study expects"):
            questions.load(Files(source="files", train=good, valid=wrong, test=good))


def test_a_failed_write_leaves_nothing(tmp_path):
    def broken():
        raise RuntimeError
        yield

    with pytest.raises(RuntimeError):
        questions.write(tmp_path / "q.jsonl", broken())
    assert list(tmp_path.iterdir()) == []
