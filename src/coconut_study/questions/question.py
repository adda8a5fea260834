"""Questions: the record, its words, its proof, and its JSON (the published schema, both ways).

A question of graph kind carries its graph; others (word problems, ontologies) have text alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from coconut_study.questions import graphs
from coconut_study.questions.graphs import Graph

FACT = re.compile(r"(\w+) is an? (\w+)\.")
ASKED = re.compile(r"Is (\w+) an? (\w+) or (\w+)\?")


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
