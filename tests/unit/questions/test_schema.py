"""Question files in the published schema."""

import json

import pytest

from coconut_study.common.errors import StudyError
from coconut_study.questions import schema


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
