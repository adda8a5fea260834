"""Question files in the schema of the published data: one JSON record per question."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from coconut_study.common.errors import StudyError, hint
from coconut_study.common.files import written
from coconut_study.common.reading import parse_json, read_text
from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import Question, fault

NAME = re.compile(r"\w+")

# Fields of every record, and the additional fields of a graph question.
TEXT_FIELDS: dict[str, type] = {"question": str, "answer": str, "steps": list}
GRAPH_FIELDS: dict[str, type] = {
    "idx_to_symbol": list, "edges": list, "root": int, "target": int, "neg_target": int,
}  # fmt: skip
KINDS = {str: "a string", list: "a list", int: "a whole number"}


def to_json(question: Question) -> dict[str, Any]:
    """The record of a question in the published schema."""
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


def from_json(record: Any, *, proved: bool = False) -> Question:
    """The question of a record in the published schema; if it was `proved` before, its proof is not repeated.

    ValueError names a missing, unknown or wrong field, or says how text and graph disagree.
    """
    if not isinstance(record, dict):
        raise ValueError("is not a JSON object")
    for field in record:
        if field not in TEXT_FIELDS | GRAPH_FIELDS:
            raise ValueError(f'has an unknown field "{field}"{hint(field, TEXT_FIELDS | GRAPH_FIELDS)}')
    required = TEXT_FIELDS | (GRAPH_FIELDS if record.keys() & GRAPH_FIELDS.keys() else {})
    for field, kind in required.items():
        if field not in record:
            raise ValueError(f'has no field "{field}"')
        if type(record[field]) is not kind:
            raise ValueError(f'field "{field}" is not {KINDS[kind]}')
    for field in ("question", "answer"):
        if not record[field].strip():
            raise ValueError(f'field "{field}" is empty')
    if not all(isinstance(step, str) for step in record["steps"]):
        raise ValueError('field "steps" is not a list of sentences')
    graph = _graph_from_json(record) if "edges" in record else None
    question = Question(record["question"], tuple(record["steps"]), record["answer"], graph)
    if not proved and (wrong := fault(question)):
        raise ValueError(wrong)
    return question


def _graph_from_json(record: dict[str, Any]) -> Graph:
    edges, names = record["edges"], record["idx_to_symbol"]
    if not all(isinstance(e, list) and len(e) == 2 and all(type(n) is int for n in e) for e in edges):
        raise ValueError('field "edges" is not a list of pairs of nodes (whole numbers)')
    if not all(isinstance(name, str) and NAME.fullmatch(name) for name in names):
        raise ValueError('field "idx_to_symbol" is not a list of names of one word each')
    return Graph(
        names=tuple(names),
        edges=tuple((head, tail) for head, tail in edges),
        root=record["root"],
        target=record["target"],
        neg_target=record["neg_target"],
    )


def read(path: Path, *, proved: bool = False) -> list[Question]:
    """Read and check the questions of a .json file (one list) or a .jsonl file (one record per line).

    Each is proved (see `question.fault`), which takes most of the time, unless all were `proved` before: if
    the file has the SHA-256 on its card, they were proved when the card was written.

    StudyError names the file and the index (from 0) of the first wrong question.
    """
    text = read_text(path)
    records = parse_json(text, path) if text.lstrip().startswith("[") else _records(text, path)
    questions = []
    for index, record in enumerate(records):
        try:
            questions.append(from_json(record, proved=proved))
        except ValueError as error:
            raise StudyError(f"{path}, question {index}: {error}") from error
    if not questions:
        raise StudyError(f"{path}: holds no questions")
    return questions


def _records(text: str, path: Path) -> list[Any]:
    """The records of JSON lines."""
    lines = enumerate(text.split("\n"), start=1)
    return [parse_json(line, path, number) for number, line in lines if line.strip()]


def write(path: Path, questions: Iterable[Question]) -> None:
    """Write one record per line, or a single list, as published, if the file name ends in .json."""
    records = [to_json(question) for question in questions]
    with written(path) as file:
        if path.suffix == ".json":
            json.dump(records, file)
        else:
            file.writelines(json.dumps(record) + "\n" for record in records)
