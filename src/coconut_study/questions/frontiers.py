"""Search frontiers: the candidates for each step of a graph question (paper section 5.3).

The candidates at depth 1 are the children of the root, those at depth 2 its grandchildren that are not also
children, and so on: every node belongs to the frontier at its distance from the root.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import networkx as nx
import numpy as np

from coconut_study.questions.graphs import Edge, Graph

Height = Literal["shortest", "longest"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node of a frontier: its name, its height, whether the target can be reached from it (correct), and
    whether the question names it as an option."""

    node: str
    height: int
    correct: bool
    option: bool


def candidates(graph: Graph, depth: int, height: Height) -> list[Candidate]:
    """The candidates at distance `depth` from the root, in the order of the graph's nodes."""
    digraph = graph.digraph
    height_of = heights(digraph, height)
    correct = {graph.target, *nx.ancestors(digraph, graph.target)}
    options = (graph.target, graph.neg_target)
    return [
        Candidate(graph.names[node], height_of[node], node in correct, node in options)
        for node in frontier(graph, depth)
    ]


def frontier(graph: Graph, depth: int) -> list[int]:
    """Nodes at distance `depth` from the root, in ascending order; none for depth 0."""
    distance = _distances(graph.edges, graph.root)
    return sorted(node for node, edges in distance.items() if edges == depth > 0)


def draw_step(graph: Graph, depth: int, rng: np.random.Generator) -> Edge:
    """A fact that leads to a node at distance `depth` from the root: all such nodes are equally likely, and
    so are the nodes before it, at distance `depth` - 1.

    ValueError if there is no node at this distance.
    """
    nodes, distance = frontier(graph, depth), _distances(graph.edges, graph.root)
    if not nodes:
        raise ValueError(f"no node is {depth} facts from the root")
    node = nodes[int(rng.integers(len(nodes)))]
    heads = [head for head, tail in graph.edges if tail == node and distance.get(head) == depth - 1]
    return heads[int(rng.integers(len(heads)))], node


@lru_cache(maxsize=100_000)  # a question that is redrawn keeps its edges
def _distances(edges: tuple[Edge, ...], root: int) -> Mapping[int, int]:
    """The number of edges from the root to every node that it reaches."""
    digraph = nx.DiGraph(edges)
    digraph.add_node(root)
    return nx.single_source_shortest_path_length(digraph, root)


def heights(digraph: nx.DiGraph, height: Height) -> dict[int, int]:
    """Number of edges from every node to a leaf (a node without children), on the shortest or longest path.

    The paper's text says shortest, the caption of its Figure 7 longest; the heights printed in that figure
    match neither.
    """
    choose = {"shortest": min, "longest": max}[height]
    height_of: dict[int, int] = {}
    for node in reversed(list(nx.topological_sort(digraph))):
        height_of[node] = 1 + choose((height_of[child] for child in digraph.successors(node)), default=-1)
    return height_of
