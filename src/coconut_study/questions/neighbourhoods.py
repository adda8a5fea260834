"""Shortcuts that are learned: what can be told from the neighbourhoods of root and options, never joined.

The neighbourhood of a node is described by counts, which say nothing of which node is which. A logistic
regression gets the product of every count of the root (and of the constant 1) with the difference of the same
count between the two options; it has no intercept, so that the order of the options does not matter. It is
fitted to training questions and answers test questions. docs/crossed.md says what it reaches on which data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import networkx as nx
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import Question
from coconut_study.questions.shortcuts import graphs_of, rows

RADIUS = 2  # edges
ITERATIONS = 1000  # of the solver, at most

Describe = Callable[[nx.DiGraph], Callable[[int], list[float]]]  # graph -> function from a node to its counts


def sizes(digraph: nx.DiGraph) -> Callable[[int], list[float]]:
    """The numbers of nodes and of facts within 1 and within 2 edges of a node, against and along facts.

    A fact is within them if both of its nodes are. 4 counts.
    """
    undirected = digraph.to_undirected(as_view=True)
    beside = {node: {*undirected[node]} for node in digraph}

    def of_node(node: int) -> list[float]:
        counts: list[float] = []
        near = {node}
        for _ in range(RADIUS):
            near = near.union(*(beside[one] for one in near))
            counts += [len(near), sum(len(beside[one] & near) for one in near) / 2]
        return counts

    return of_node


def degrees(digraph: nx.DiGraph) -> Callable[[int], list[float]]:
    """For the nodes 0, 1 and 2 edges below a node, and for those 0, 1 and 2 edges above it: their number, and
    the sums of their numbers of children and of parents. 18 counts."""
    directions = (digraph, digraph.reverse(copy=False))

    def of_node(node: int) -> list[float]:
        counts: list[float] = []
        for directed in directions:
            distance = nx.single_source_shortest_path_length(directed, node, cutoff=RADIUS)
            for level in range(RADIUS + 1):
                nodes = [one for one, edges in distance.items() if edges == level]
                counts += [len(nodes)]
                counts += [
                    sum(degree for _, degree in of(nodes)) for of in (digraph.out_degree, digraph.in_degree)
                ]
        return counts

    return of_node


WAYS: Mapping[str, Describe] = {
    "learned from sizes of neighbourhoods": sizes,
    "learned from degrees by distance": degrees,
}


def table(train: Sequence[Question], test: Sequence[Question]) -> pd.DataFrame:
    """One row per way of `WAYS` and test question, with the columns of `shortcuts.table`; no rows without
    graphs. `points` is 1 for a right answer, 0 for a wrong one, and 0.5 if both options look the same."""
    known, asked = graphs_of(train), graphs_of(test)
    if not known or not asked:
        return rows({}, test)
    return rows({name: points(known, asked, describe) for name, describe in WAYS.items()}, test)


def points(train: Sequence[Graph], test: Sequence[Graph], describe: Describe) -> Sequence[float]:
    """The points of a logistic regression on each of the `test` graphs, learned from the `train` graphs."""
    apart = np.array([contrast(graph, describe) for graph in train])
    model = make_pipeline(
        StandardScaler(with_mean=False), LogisticRegression(fit_intercept=False, max_iter=ITERATIONS)
    )
    model.fit(np.concatenate([apart, -apart]), np.repeat([1, 0], len(apart)))
    asked = np.array([contrast(graph, describe) for graph in test])
    chosen: Sequence[float] = ((1 + np.sign(model.decision_function(asked))) / 2).tolist()
    return chosen


def contrast(graph: Graph, describe: Describe) -> np.ndarray:
    """The products of the root's n counts and 1 with what the right option has more of than the wrong one:
    (n + 1) * n numbers, of which each changes its sign if the options change places."""
    counts = describe(graph.digraph)
    root, right, wrong = (np.array(counts(node)) for node in (graph.root, graph.target, graph.neg_target))
    return np.outer([*root, 1.0], right - wrong).ravel()
