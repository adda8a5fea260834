"""Outcomes: six kinds of responses, of which every response has exactly one (paper section 5.1).

| outcome         | the response                                                           |
|-----------------|------------------------------------------------------------------------|
| correct path    | follows a shortest path to the target                                  |
| longer path     | follows a path to the target that is not a shortest one                |
| wrong target    | follows a path of the graph that ends at another node                  |
| hallucination   | names an edge that is not in the graph, or steps that do not connect   |
| correct label   | has no steps, only the right answer                                    |
| incorrect label | has no steps, and a wrong answer or none                               |

If steps are hidden, the response is the rest of a path. It is classified as the whole path to which it can be
completed from the root; if there is none, it is a hallucination.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from itertools import pairwise

import networkx as nx

from coconut_study.questions.graphs import Graph
from coconut_study.sequences.templates import Reading


class Outcome(StrEnum):
    """The kind of a response, in the order in which figures stack them."""

    CORRECT_LABEL = "correct label"
    CORRECT_PATH = "correct path"
    LONGER_PATH = "longer path"
    WRONG_TARGET = "wrong target"
    HALLUCINATION = "hallucination"
    INCORRECT_LABEL = "incorrect label"


class Map:
    """A question graph whose nodes are names, with distances that are computed once."""

    def __init__(self, graph: Graph) -> None:
        self.root, self.target = graph.names[graph.root], graph.names[graph.target]
        self.digraph = nx.relabel_nodes(graph.digraph, dict(enumerate(graph.names)))

    @cached_property
    def depth(self) -> dict[str, int]:
        """Distance from the root in edges, for every node that can be reached."""
        return nx.single_source_shortest_path_length(self.digraph, self.root)

    def reached_in(self, n_edges: int) -> set[str]:
        """Nodes at the end of a walk of exactly `n_edges` edges from the root."""
        ends = {self.root}
        for _ in range(n_edges):
            ends = {child for node in ends for child in self.digraph.successors(node)}
        return ends


def classify(
    reading: Reading, graph_map: Map, *, right: bool, hidden: int | None = 0, exact: bool = False
) -> Outcome:
    """The outcome of a response with `hidden` steps before it (None: any number).

    `right` says whether its answer is the gold answer; it matters only if there are no steps. If `exact`,
    the hidden part of the path must have exactly `hidden` edges; otherwise it may be any walk from the root
    to the node at which the response begins, provided that steps are hidden.
    """
    if not reading.steps and not reading.malformed:
        return Outcome.CORRECT_LABEL if right else Outcome.INCORRECT_LABEL
    _, n_wrong = edges(reading, graph_map, hidden=hidden, exact=exact)
    path = _nodes(reading)
    if n_wrong or path is None:
        return Outcome.HALLUCINATION
    if path[-1] != graph_map.target:
        return Outcome.WRONG_TARGET
    if graph_map.depth[path[0]] + len(path) - 1 > graph_map.depth[graph_map.target]:
        return Outcome.LONGER_PATH
    return Outcome.CORRECT_PATH


def edges(
    reading: Reading, graph_map: Map, *, hidden: int | None = 0, exact: bool = False
) -> tuple[int, int]:
    """(edges written up to the first wrong one, 1 if there is a wrong one else 0); the arguments are those of
    `classify`.

    The place where a path begins counts as an edge if the template omits its head; steps that cannot be read,
    or do not connect, count as one wrong edge.
    """
    if not reading.steps and not reading.malformed:
        return 0, 0
    path = _nodes(reading)
    if path is None:
        return 1, 1
    unwritten = 1 if reading.steps[0][0] is None else 0  # edges before the first node that the template omits
    if not _begins_on_path(graph_map, path[0], hidden, unwritten, exact):
        return 1, 1
    for n_before, edge in enumerate(pairwise(path)):
        if not graph_map.digraph.has_edge(*edge):
            return unwritten + n_before + 1, 1
    return unwritten + len(path) - 1, 0


def _nodes(reading: Reading) -> list[str] | None:
    """The nodes that the steps name, in order; None if the steps do not connect."""
    if reading.malformed:
        return None
    if any(tail != head for (_, tail), (head, _) in pairwise(reading.steps)):
        return None
    head, _ = reading.steps[0]
    return [node for node in (head, *(tail for _, tail in reading.steps)) if node is not None]


def _begins_on_path(graph_map: Map, first: str, hidden: int | None, unwritten: int, exact: bool) -> bool:
    """True if the hidden steps and the unwritten edge can lead from the root to `first`."""
    if hidden == 0 or (exact and hidden is not None):
        return first in graph_map.reached_in((hidden or 0) + unwritten)
    return first in graph_map.depth
