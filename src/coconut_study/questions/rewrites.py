"""Single-fact rewrites: the same question with one fact changed so that the other option is right.

A rewrite tells a model that follows the facts from one that does not: the answer of the first moves with the
fact, that of the second stays (Jin et al. 2026, arXiv 2607.06648, with 405 rewrites of ProsQA).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import networkx as nx
import numpy as np

from coconut_study.questions import graphs
from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import Question, fault, sentence


def pairs(questions: Sequence[Question], rng: np.random.Generator) -> list[Question]:
    """Every question that has a rewrite, each followed by a random one of its rewrites.

    Questions without a rewrite, or without a graph, are left out. Every rewrite is proved by the solver.
    """
    found = []
    for question in questions:
        rewrites = list(_rewrites(question))
        if rewrites:
            graph, fact = rewrites[int(rng.integers(len(rewrites)))]
            found += [question, _rewritten(question, graph, fact, rng)]
    return found


def _rewrites(question: Question) -> Iterator[tuple[Graph, int]]:
    """Every rewritten graph, with the number of the edge that differs.

    The edge leads from the same node to another concept. The target can no longer be reached and the other
    option can, in as many steps. Each node keeps a fact; the one that the edge led to may be left without a
    parent.
    """
    graph = question.graph
    if graph is None:
        return
    n_steps = len(question.steps)
    leading = nx.ancestors(graph.digraph, graph.neg_target) | {graph.neg_target}
    for number in _on_every_path(graph):
        head = graph.edges[number][0]
        for other in sorted(leading - {*graph.persons}):
            edges = (*graph.edges[:number], (head, other), *graph.edges[number + 1 :])
            moved = replace(graph, edges=edges, target=graph.neg_target, neg_target=graph.target)
            if graphs.fault(moved) is None and len(graphs.shortest_paths(moved)[0]) - 1 == n_steps:
                yield moved, number


def _on_every_path(graph: Graph) -> list[int]:
    """The numbers of the edges without which the target cannot be reached."""
    digraph = graph.digraph
    needed = []
    for number, edge in enumerate(graph.edges):
        digraph.remove_edge(*edge)
        if not nx.has_path(digraph, graph.root, graph.target):
            needed.append(number)
        digraph.add_edge(*edge)
    return needed


def _rewritten(question: Question, graph: Graph, fact: int, rng: np.random.Generator) -> Question:
    """The question about the rewritten graph: its facts and options have the places that they had."""
    assert question.graph is not None
    old, new = (sentence(one, one.edges[fact]) for one in (question.graph, graph))
    paths = graphs.shortest_paths(graph)
    path = paths[int(rng.integers(len(paths)))]
    rewrite = Question(
        question=question.question.replace(old, new, 1),
        steps=tuple(sentence(graph, edge) for edge in pairwise(path)),
        answer=f"{graph.names[graph.root]} is a {graph.names[graph.target]}.",
        graph=graph,
    )
    if wrong := fault(rewrite):
        raise AssertionError(f"the rewrite is wrong ({wrong}): {rewrite}")
    return rewrite
