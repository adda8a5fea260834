"""Questions: the record, its words, its proof, and its JSON (the published schema, both ways).

A question of graph kind carries its graph; others (word problems, ontologies) have text alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from coconut_study import graphs
from coconut_study.errors import StudyError
from coconut_study.explain import hint
from coconut_study.files import written
from coconut_study.graphs import Graph

NAME = re.compile(r"\w+")
FACT = re.compile(r"(\w+) is an? (\w+)\.")
ASKED = re.compile(r"Is (\w+) an? (\w+) or (\w+)\?")

# The published schema: what every record has, and what one with a graph has besides.
TEXT_FIELDS: dict[str, type] = {"question": str, "answer": str, "steps": list}
GRAPH_FIELDS: dict[str, type] = {
    "idx_to_symbol": list, "edges": list, "root": int, "target": int, "neg_target": int,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, its gold steps and answer in prose, and the graph of a graph question."""

    question: str
    steps: tuple[str, ...]
    answer: str
    graph: Graph | None = None


def facts_of(text: str) -> list[tuple[str, str]]:
    """(head, tail) of every fact sentence, in the order of the text."""
    return FACT.findall(text)


def options_of(text: str) -> tuple[str, str]:
    """The two options in the order in which the question names them."""
    asked = ASKED.search(text)
    if asked is None:
        raise ValueError('a graph question ends with "Is <person> a <concept> or <concept>?"')
    return asked[2], asked[3]


# --------------------------------------------------------------------------------------- graph -> text


def ask(graphs_alike: Sequence[Graph], rng: np.random.Generator) -> list[Question]:
    """The questions about graphs with the same edges, which begin with the same facts in one random order."""
    order = rng.permutation(len(graphs_alike[0].edges)).tolist()
    return [_ask(graph, order, rng) for graph in graphs_alike]


def _ask(graph: Graph, order: Sequence[int], rng: np.random.Generator) -> Question:
    """The question about a graph in the published words, with options and gold path drawn at random."""
    facts = [sentence(graph, edge) for edge in graph.edges]
    options = [graph.names[graph.target], graph.names[graph.neg_target]]
    if rng.random() < 0.5:
        options.reverse()
    paths = graphs.shortest_paths(graph)
    path = paths[int(rng.integers(len(paths)))]
    root = graph.names[graph.root]
    return Question(
        question=" ".join(facts[i] for i in order) + f" Is {root} a {options[0]} or {options[1]}?",
        steps=tuple(sentence(graph, edge) for edge in pairwise(path)),
        answer=f"{root} is a {graph.names[graph.target]}.",
        graph=graph,
    )


def redraw(mirrors: Sequence[Question], rng: np.random.Generator, **pool: int) -> list[Question]:
    """The same questions of one graph with new names and a new order of facts, alike in all of them; what
    has no graph stays as it is.

    `pool` limits the names as in `graphs.name`.
    """
    drawn = tuple(question.graph for question in mirrors if question.graph is not None)
    if len(drawn) < len(mirrors):
        return list(mirrors)
    return ask(graphs.name(drawn, rng, **pool), rng)


def by_graph(questions: Sequence[Question]) -> list[list[int]]:
    """Numbers of the questions, those next to one another with the same graph together: mirror questions."""

    def asked_of(number: int) -> Any:
        graph = questions[number].graph
        return (graph.names, graph.edges) if graph else number

    return [list(numbers) for _, numbers in groupby(range(len(questions)), key=asked_of)]


def sentence(graph: Graph, edge: graphs.Edge) -> str:
    """An edge in the published words."""
    head, tail = graph.names[edge[0]], graph.names[edge[1]]
    return f"{head} is a {tail}." if head[0].isupper() else f"Every {head} is a {tail}."


# --------------------------------------------------------------------------------------------- proof


def fault(question: Question) -> str | None:
    """What is wrong with a question, or None: the graph, the facts, the steps and the answer must agree."""
    graph = question.graph
    if graph is None:
        return None
    if wrong := graphs.fault(graph):
        return wrong
    sentences = sorted(sentence(graph, edge) for edge in graph.edges)
    written_facts = question.question[: question.question.rfind(".") + 1]
    if sorted(re.findall(r"[^.]+\.", written_facts.replace(". ", "."))) != sentences:
        return "the sentences of the question are not the edges of the graph"
    try:
        options = options_of(question.question)
    except ValueError as error:
        return str(error)
    if {*options} != {graph.names[graph.target], graph.names[graph.neg_target]}:
        return "the options in the question are not target and neg_target"
    asked = f"Is {graph.names[graph.root]} a {options[0]} or {options[1]}?"
    if question.question != f"{written_facts} {asked}":
        return f'the facts are not followed by "{asked}" and nothing else'
    paths = [tuple(sentence(graph, edge) for edge in pairwise(path)) for path in graphs.shortest_paths(graph)]
    if question.steps not in paths:
        return "the steps are not a shortest path from root to target"
    if question.answer != f"{graph.names[graph.root]} is a {graph.names[graph.target]}.":
        return "the answer is not the target"
    return None


# ---------------------------------------------------------------------------------------------- JSON


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


def text_of(path: Path, of: str = "questions") -> str:
    """The text of a file of questions, or of something else; StudyError when it has none to be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror}); give a file of {of}") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: is not UTF-8 text; give a file of {of}") from error
    if not text.strip():
        raise StudyError(f"{path}: holds no {of}")
    return text


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
