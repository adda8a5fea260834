import json
from dataclasses import replace

import numpy as np
import pytest

from coconut_study.common.errors import StudyError
from coconut_study.questions import balanced, graphs, question, schema


def test_the_solver_accepts_all_published_validation_questions(shared):
    assert len(schema.read(shared("data/prosqa_valid.json"))) == 300


def test_published_json_comes_out_as_it_went_in(shared, tmp_path):
    source = shared("data/prosqa_valid.json")
    schema.write(tmp_path / "again.json", schema.read(source))
    schema.write(tmp_path / "lines.jsonl", schema.read(tmp_path / "again.json"))
    published = json.loads(source.read_text())
    assert json.loads((tmp_path / "again.json").read_text()) == published
    assert [json.loads(line) for line in (tmp_path / "lines.jsonl").read_text().splitlines()] == published


def test_questions_without_a_graph_are_read(shared):
    found = schema.read(shared("data/prontoqa_valid.json"))
    assert len(found) == 200
    assert {question.graph for question in found} == {None}


def test_an_asked_question_is_sound_and_in_the_published_words(question):
    assert question.fault(question) is None
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
    assert words in question.fault(replace(question, **change))


def test_a_redrawn_question_is_the_same_graph_under_other_names(question):
    other = question.redraw([question], np.random.default_rng(1), persons=2, concepts=5)[0]
    assert other.graph.edges == question.graph.edges
    assert other.question != question.question
    assert question.fault(other) is None


def mirrors(rng):
    """The two questions of a graph."""
    drawn = ()
    while not drawn:
        drawn = balanced.draw_balanced(rng, nodes=12, edges=14, hops=(3, 3))
    return question.ask(graphs.name(drawn, rng, persons=2, concepts=10), rng)


def facts(question):
    return question.question[: question.question.rindex(" Is ")]


def test_mirror_questions_begin_with_the_same_facts_in_the_same_order():
    rng = np.random.default_rng(2)
    one, other = mirrors(rng)
    assert facts(one) == facts(other)
    assert one.question != other.question
    again = question.redraw([one, other], rng, persons=2, concepts=10)
    assert facts(again[0]) == facts(again[1]) != facts(one)
    assert [question.fault(question) for question in again] == [None, None]
    assert [question.graph.root for question in again] == [one.graph.root, other.graph.root]


def test_questions_are_put_together_by_their_graph(question):
    rng = np.random.default_rng(3)
    text = question.Question("How many?", (), "3")
    asked = [*mirrors(rng), text, text, question, *mirrors(rng)]
    assert question.by_graph(asked) == [[0, 1], [2], [3], [4], [5, 6]]


@pytest.mark.parametrize("field", ["question", "answer", "steps", "idx_to_symbol", "root", "neg_target"])
def test_a_missing_field_is_named_with_file_and_row(question, tmp_path, field):
    good, bad = schema.to_json(question), schema.to_json(question)
    del bad[field]
    path = tmp_path / "questions.json"
    path.write_text(json.dumps([good, bad]))
    with pytest.raises(StudyError, match=rf'questions.json, question 1: has no field "{field}"'):
        schema.read(path)


def test_bad_files_are_named(tmp_path):
    path = tmp_path / "questions.jsonl"
    with pytest.raises(StudyError, match="cannot be read"):
        schema.read(path)
    path.write_text('{"question": \n')
    with pytest.raises(StudyError, match="line 1: not JSON"):
        schema.read(path)
    path.write_text("")
    with pytest.raises(StudyError, match="no question"):
        schema.read(path)


def test_a_failed_write_leaves_nothing(tmp_path):
    def broken():
        raise RuntimeError
        yield

    with pytest.raises(RuntimeError):
        schema.write(tmp_path / "q.jsonl", broken())
    assert list(tmp_path.iterdir()) == []
