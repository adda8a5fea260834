import json
from dataclasses import replace

import numpy as np
import pytest

from coconut_study import graphs, questions
from coconut_study.errors import StudyError


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


def test_a_redrawn_question_is_the_same_graph_under_other_names(question):
    other = questions.redraw([question], np.random.default_rng(1), persons=2, concepts=5)[0]
    assert other.graph.edges == question.graph.edges
    assert other.question != question.question
    assert questions.fault(other) is None


def mirrors(rng):
    """The two questions of a graph."""
    drawn = ()
    while not drawn:
        drawn = graphs.draw_balanced(rng, nodes=12, edges=14, hops=(3, 3))
    return questions.ask(graphs.name(drawn, rng, persons=2, concepts=10), rng)


def facts(question):
    return question.question[: question.question.rindex(" Is ")]


def test_mirror_questions_begin_with_the_same_facts_in_the_same_order():
    rng = np.random.default_rng(2)
    one, other = mirrors(rng)
    assert facts(one) == facts(other)
    assert one.question != other.question
    again = questions.redraw([one, other], rng, persons=2, concepts=10)
    assert facts(again[0]) == facts(again[1]) != facts(one)
    assert [questions.fault(question) for question in again] == [None, None]
    assert [question.graph.root for question in again] == [one.graph.root, other.graph.root]


def test_questions_are_put_together_by_their_graph(question):
    rng = np.random.default_rng(3)
    text = questions.Question("How many?", (), "3")
    asked = [*mirrors(rng), text, text, question, *mirrors(rng)]
    assert questions.by_graph(asked) == [[0, 1], [2], [3], [4], [5, 6]]


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


def test_a_failed_write_leaves_nothing(tmp_path):
    def broken():
        raise RuntimeError
        yield

    with pytest.raises(RuntimeError):
        questions.write(tmp_path / "q.jsonl", broken())
    assert list(tmp_path.iterdir()) == []
