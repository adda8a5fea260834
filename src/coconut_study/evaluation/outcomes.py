"""What kind of answer a response is: six classes, every response in exactly one (paper section 5.1). Pure.

| class           | a response that                                                        |
|-----------------|------------------------------------------------------------------------|
| correct path    | takes a shortest path to the asked option                              |
| longer path     | takes a path to it that is not a shortest one                          |
| wrong target    | takes a path of the graph that ends elsewhere                          |
| hallucination   | names an edge that is not there, or steps that do not connect          |
| correct label   | gives no step, only the right answer                                   |
| incorrect label | gives no step, and a wrong answer or none                              |

A response to a prompt with hidden steps holds the rest of a path: it belongs to the class of the path that
a solver can complete it to, from the root; where there is none, it is a hallucination.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from itertools import pairwise

import networkx as nx

from coconut_study.questions.graphs import Graph
from coconut_study.sequences.templates import Reading


class Outcome(StrEnum):
    """The kind of a response; in the order in which figures stack them."""

    CORRECT_LABEL = "correct label"
    CORRECT_PATH = "correct path"
    LONGER_PATH = "longer path"
    WRONG_TARGET = "wrong target"
    HALLUCINATION = "hallucination"
    INCORRECT_LABEL = "incorrect label"


class Map:
    """A question's graph by names, with what a classification asks of it, found once."""

    def __init__(self, graph: Graph) -> None:
        self.root, self.target = graph.names[graph.root], graph.names[graph.target]
        self.digraph = nx.relabel_nodes(graph.digraph, dict(enumerate(graph.names)))

    @cached_property
    def depth(self) -> dict[str, int]:
        """Fewest edges from the root, for every node that can be reached."""
        return nx.single_source_shortest_path_length(self.digraph, self.root)

    def reached_in(self, n_edges: int) -> set[str]:
        """Nodes that some walk of exactly `n_edges` from the root ends at."""
        ends = {self.root}
        for _ in range(n_edges):
            ends = {child for node in ends for child in self.digraph.successors(node)}
        return ends


def classify(
    reading: Reading, graph_map: Map, *, right: bool, hidden: int | None = 0, exact: bool = False
) -> Outcome:
    """The class of a response with `hidden` steps before it (None: any number).

    `right` says whether its final answer is the gold one; it decides only where there are no steps.
    `exact` asks that the hidden part of a path has exactly `hidden` edges (a chain shorter than that is
    hidden whole); otherwise any walk from the root to where the response begins will do.
    """
    if not reading.steps and not reading.malformed:
        return Outcome.CORRECT_LABEL if right else Outcome.INCORRECT_LABEL
    path = _nodes(reading)
    if path is None or not all(graph_map.digraph.has_edge(*edge) for edge in pairwise(path)):
        return Outcome.HALLUCINATION
    first, last = path[0], path[-1]
    unwritten = 1 if reading.steps[0][0] is None else 0  # edges to `first` that the template leaves out
    if not _begins_well(graph_map, first, hidden, unwritten, exact):
        return Outcome.HALLUCINATION
    if last != graph_map.target:
        return Outcome.WRONG_TARGET
    if graph_map.depth[first] + len(path) - 1 > graph_map.depth[graph_map.target]:
        return Outcome.LONGER_PATH
    return Outcome.CORRECT_PATH


def _nodes(reading: Reading) -> list[str] | None:
    """The nodes that the steps name one after the other, or None where they do not connect."""
    if reading.malformed:
        return None
    if any(tail != head for (_, tail), (head, _) in pairwise(reading.steps)):
        return None
    head, _ = reading.steps[0]
    return [node for node in (head, *(tail for _, tail in reading.steps)) if node is not None]


def _begins_well(graph_map: Map, first: str, hidden: int | None, unwritten: int, exact: bool) -> bool:
    """Whether a walk from the root over the hidden steps, and the unwritten edge, leads to `first`."""
    if hidden == 0 or (exact and hidden is not None):
        return first in graph_map.reached_in((hidden or 0) + unwritten)
    return first in graph_map.depth
