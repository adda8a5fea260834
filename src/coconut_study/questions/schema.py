"""Question files in the published JSON schema, read and written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from coconut_study.common.errors import StudyError, hint
from coconut_study.common.files import text_of, written
from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import Question, fault

NAME = re.compile(r"\w+")

# The published schema: what every record has, and what one with a graph has besides.
TEXT_FIELDS: dict[str, type] = {"question": str, "answer": str, "steps": list}
GRAPH_FIELDS: dict[str, type] = {
    "idx_to_symbol": list, "edges": list, "root": int, "target": int, "neg_target": int,
}  # fmt: skip


def to_json(question: Question) -> dict[str, Any]:
    """The published schema."""
    record: dict[str, Any] = {
        "question": question.question,
        "answer": question.answer,
        "steps": list(question.steps),
    }
    if question.graph is not None:
        record |= {
            "idx_to_symbol": list(question.graph.names),
            "edges": [list(edge) for edge in question.graph.edges],
            "root": question.graph.root,
            "target": question.graph.target,
            "neg_target": question.graph.neg_target,
        }
    return record


def from_json(record: Any) -> Question:
    """The question of a record in the published schema; ValueError names a missing or wrong field."""
    if not isinstance(record, dict):
        raise ValueError("is not a JSON object")
    for field in record:
        if field not in TEXT_FIELDS | GRAPH_FIELDS:
            raise ValueError(f'has an unknown field "{field}"{hint(field, TEXT_FIELDS | GRAPH_FIELDS)}')
    wanted = TEXT_FIELDS | (GRAPH_FIELDS if record.keys() & GRAPH_FIELDS.keys() else {})
    for field, kind in wanted.items():
        if field not in record:
            raise ValueError(f'has no field "{field}"')
        if type(record[field]) is not kind:
            raise ValueError(f'field "{field}" is not a {kind.__name__}')
    for field in ("question", "answer"):
        if not record[field].strip():
            raise ValueError(f'field "{field}" is empty')
    if not all(isinstance(step, str) for step in record["steps"]):
        raise ValueError('field "steps" is not a list of sentences')
    graph = _graph_from_json(record) if "edges" in record else None
    question = Question(record["question"], tuple(record["steps"]), record["answer"], graph)
    if wrong := fault(question):
        raise ValueError(wrong)
    return question


def _graph_from_json(record: dict[str, Any]) -> Graph:
    edges, names = record["edges"], record["idx_to_symbol"]
    if not all(isinstance(e, list) and len(e) == 2 and all(type(n) is int for n in e) for e in edges):
        raise ValueError('field "edges" is not a list of pairs of node numbers')
    if not all(isinstance(name, str) and NAME.fullmatch(name) for name in names):
        raise ValueError('field "idx_to_symbol" is not a list of names of one word')
    return Graph(
        names=tuple(names),
        edges=tuple((a, b) for a, b in edges),
        root=record["root"],
        target=record["target"],
        neg_target=record["neg_target"],
    )


def read(path: Path) -> list[Question]:
    """Questions of a .json list or .jsonl file; StudyError names the file and row of a bad one."""
    text = text_of(path)
    try:
        records = json.loads(text) if text.lstrip().startswith("[") else _lines(text)
    except json.JSONDecodeError as error:
        raise StudyError(f"{path}, line {error.lineno}: not JSON ({error.msg})") from error
    questions = []
    for row, record in enumerate(records):
        try:
            questions.append(from_json(record))
        except ValueError as error:
            raise StudyError(f"{path}, question {row}: {error}") from error
    if not questions:
        raise StudyError(f"{path}: holds no question")
    return questions


def _lines(text: str) -> list[Any]:
    records = []
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            if line.strip():
                records.append(json.loads(line))
        except json.JSONDecodeError as error:
            error.lineno = number
            raise
    return records


def write(path: Path, questions: Iterable[Question]) -> None:
    """Write a .jsonl file, or a .json list as published when the name ends so."""
    records = [to_json(question) for question in questions]
    with written(path) as file:
        if path.suffix == ".json":
            json.dump(records, file)
        else:
            file.writelines(json.dumps(record) + "\n" for record in records)
