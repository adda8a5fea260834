"""Question files in the published schema."""

import json
from dataclasses import replace

import pytest

from coconut_study.common.errors import StudyError
from coconut_study.questions import commands, datasets, schema


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


def test_what_was_proved_is_read_without_proof_and_all_else_is_not(question, tmp_path):
    path, wrong = tmp_path / "questions.jsonl", schema.to_json(question) | {"answer": "Nobody is a lempus."}
    path.write_text(json.dumps(wrong))
    with pytest.raises(StudyError, match="the answer is not the target"):
        schema.read(path)
    assert [one.answer for one in schema.read(path, proved=True)] == [wrong["answer"]]


def test_a_card_is_written_for_proved_questions_alone(question, tmp_path, monkeypatch):
    wrong = replace(question, answer="Nobody is a lempus.")
    paths = {name: tmp_path / f"{name}.jsonl" for name in ("train", "valid", "test")}
    monkeypatch.setattr(datasets, "generate", lambda _: {name: [wrong] for name in paths})
    graph = {"nodes": 12, "hops": [3, 3], "persons": 2, "concepts": 10}
    settings = {"source": "prosqa", "seed": 1, "sizes": dict.fromkeys(paths, 1)} | graph
    with pytest.raises(StudyError, match="the answer is not the target"):
        commands.questions(json.dumps(settings), *paths.values(), card=tmp_path / "card.json")
    assert not (tmp_path / "card.json").exists()
