"""The question record, graph questions in the published words, and the check that text and graph agree.

A graph question carries its graph; other questions (word problems, ontologies) are text alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import numpy as np

from coconut_study.questions import graphs
from coconut_study.questions.graphs import Graph

FACT = re.compile(r"(\w+) is an? (\w+)\.")
QUERY = re.compile(r"Is (\w+) an? (\w+) or (\w+)\?")


@dataclass(frozen=True, slots=True)
class Question:
    """The text of a question, its gold steps and answer, and the graph of a graph question."""

    question: str
    steps: tuple[str, ...]
    answer: str
    graph: Graph | None = None


def facts_of(text: str) -> list[tuple[str, str]]:
    """(head, tail) of every fact sentence, in the order of the text."""
    return FACT.findall(text)


def options_of(text: str) -> tuple[str, str]:
    """The two options in the order in which a graph question names them; ValueError if it names none."""
    query = QUERY.search(text)
    if query is None:
        raise ValueError('a graph question ends with "Is <person> a <concept> or <concept>?"')
    return query[2], query[3]


# --------------------------------------------------------------------------------------- graph -> text


class Wording(NamedTuple):
    """How a graph is asked about: the order of its edges as facts, the two options in the order in which they
    are named, and the path that the steps follow; options and path are nodes."""

    order: list[int]
    options: tuple[int, int]
    path: list[int]


def from_graphs(
    group: Sequence[Graph], rng: np.random.Generator, same_options: bool = False
) -> list[Question]:
    """Write the questions about a group of graphs, in wordings that are drawn for them."""
    return [written(*pair) for pair in zip(group, wordings(group, rng, same_options), strict=True)]


def wordings(group: Sequence[Graph], rng: np.random.Generator, same_options: bool = False) -> list[Wording]:
    """Draw how to ask about each of a group of graphs with the same nodes, options and number of edges.

    All of them list their facts in the same random order: mirrors, which share their edges, the same facts;
    crossed graphs the same but for two. Each names its two options in random order, or all in the same order
    with `same_options`. The steps of each are a random one of the shortest paths.
    """
    order = rng.permutation(len(group[0].edges)).tolist()
    options = _options(group[0], rng) if same_options else None
    return [Wording(order, options or _options(graph, rng), _path(graph, rng)) for graph in group]


def _options(graph: Graph, rng: np.random.Generator) -> tuple[int, int]:
    """Both options in random order."""
    swapped = rng.random() < 0.5
    return (graph.neg_target, graph.target) if swapped else (graph.target, graph.neg_target)


def _path(graph: Graph, rng: np.random.Generator) -> list[int]:
    """A random one of the shortest paths."""
    paths = graphs.shortest_paths(graph)
    return paths[int(rng.integers(len(paths)))]


def written(graph: Graph, wording: Wording) -> Question:
    """The question about a graph in the published words."""
    root, one, other = (graph.names[node] for node in (graph.root, *wording.options))
    facts = [sentence(graph, graph.edges[i]) for i in wording.order]
    return Question(
        question=" ".join(facts) + f" Is {root} a {one} or {other}?",
        steps=tuple(sentence(graph, edge) for edge in pairwise(wording.path)),
        answer=f"{root} is a {graph.names[graph.target]}.",
        graph=graph,
    )


def redraw(mirrors: Sequence[Question], rng: np.random.Generator, **pool: Any) -> list[Question]:
    """Mirror questions with new names and a new order of facts, the same in all of them.

    `pool` limits and orders the names as in `graphs.rename`. Questions without a graph are returned
    unchanged.
    """
    drawn = [question.graph for question in mirrors if question.graph is not None]
    if len(drawn) < len(mirrors):
        return list(mirrors)
    return [written(*pair) for pair in redrawn(drawn, rng, **pool)]


def redrawn(mirrors: Sequence[Graph], rng: np.random.Generator, **pool: Any) -> list[tuple[Graph, Wording]]:
    """Mirror graphs with new names, the same in all of them, each with a wording; see `redraw`."""
    named = graphs.rename(tuple(mirrors), rng, **pool)
    return list(zip(named, wordings(named, rng), strict=True))


def by_group(questions: Sequence[Question]) -> list[list[int]]:
    """Indices of the questions, grouped: adjacent questions that were drawn together form a group.

    They have the same names of nodes, and all but three of their facts in common: mirrors all, crossed ones
    all but the two that are crossed, and a rewrite all but one of those of its question. A question without a
    graph is a group by itself.
    """
    groups: list[list[int]] = []
    for index, question in enumerate(questions):
        if groups and _drawn_together(questions[groups[-1][0]].graph, question.graph):
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def group_numbers(questions: Sequence[Question]) -> list[int]:
    """The number of every question's group (see `by_group`), from 0."""
    return [number for number, group in enumerate(by_group(questions)) for _ in group]


def _drawn_together(one: Graph | None, other: Graph | None) -> bool:
    if one is None or other is None or one.names != other.names:
        return False
    return len({*one.edges} - {*other.edges}) <= 3 and len(one.edges) == len(other.edges)


def by_graph(questions: Sequence[Question]) -> list[list[int]]:
    """Indices of the questions, grouped: adjacent questions on the same graph (mirrors) form a group."""

    def graph_of(index: int) -> Any:
        graph = questions[index].graph
        return (graph.names, graph.edges) if graph else index

    return [list(indices) for _, indices in groupby(range(len(questions)), key=graph_of)]


def sentence(graph: Graph, edge: graphs.Edge) -> str:
    """An edge in the published words."""
    head, tail = graph.names[edge[0]], graph.names[edge[1]]
    return f"{head} is a {tail}." if head[0].isupper() else f"Every {head} is a {tail}."


# --------------------------------------------------------------------------------------------- proof


def fault(question: Question) -> str | None:
    """The first thing that is wrong with a graph question, or None if it is sound.

    The graph must be valid, and facts, options, steps and answer must agree with it. A question without a
    graph is not examined.
    """
    graph = question.graph
    if graph is None:
        return None
    if wrong := graphs.fault(graph):
        return wrong
    sentences = sorted(sentence(graph, edge) for edge in graph.edges)
    facts = question.question[: question.question.rfind(".") + 1]
    if sorted(re.findall(r"[^.]+\.", facts.replace(". ", "."))) != sentences:
        return "the sentences of the question are not the edges of the graph"
    try:
        options = options_of(question.question)
    except ValueError as error:
        return str(error)
    if {*options} != {graph.names[graph.target], graph.names[graph.neg_target]}:
        return "the options in the question are not target and neg_target"
    query = f"Is {graph.names[graph.root]} a {options[0]} or {options[1]}?"
    if question.question != f"{facts} {query}":
        return f'the facts are not followed by "{query}" and nothing else'
    paths = [tuple(sentence(graph, edge) for edge in pairwise(path)) for path in graphs.shortest_paths(graph)]
    if question.steps not in paths:
        return "the steps are not a shortest path from root to target"
    if question.answer != f"{graph.names[graph.root]} is a {graph.names[graph.target]}.":
        return "the answer is not the target"
    return None
