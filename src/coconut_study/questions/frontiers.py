"""What the next step can go on from: the candidates of a graph question (paper section 5.3). Pure.

The candidates at depth 1 are the children of the root, at depth 2 its grandchildren that are not children
too, and so on: every node belongs to the frontier at its distance from the root.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import networkx as nx

from coconut_study.questions.graphs import Graph

Height = Literal["shortest", "longest"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node of a frontier: its name, its height, and whether it is correct (can reach the target)."""

    node: str
    height: int
    correct: bool


def candidates(graph: Graph, depth: int, height: Height) -> list[Candidate]:
    """The frontier at `depth` edges from the root, in the order of the graph's nodes."""
    digraph = graph.digraph
    height_of = heights(digraph, height)
    correct = {graph.target, *nx.ancestors(digraph, graph.target)}
    return [Candidate(graph.names[node], height_of[node], node in correct) for node in frontier(graph, depth)]


def frontier(graph: Graph, depth: int) -> list[int]:
    """Nodes that `depth` edges lead to from the root and fewer do not; none for 0, the root is no choice."""
    distance = nx.single_source_shortest_path_length(graph.digraph, graph.root, cutoff=depth)
    return sorted(node for node, edges in distance.items() if edges == depth > 0)


def heights(digraph: nx.DiGraph, height: Height) -> dict[int, int]:
    """Edges from every node to a leaf (a node without children), over the shortest or the longest way.

    The paper's text says shortest, the caption of its Figure 7 longest; the heights printed there fit
    neither.
    """
    choose = {"shortest": min, "longest": max}[height]
    found: dict[int, int] = {}
    for node in reversed(list(nx.topological_sort(digraph))):
        found[node] = 1 + choose((found[child] for child in digraph.successors(node)), default=-1)
    return found
