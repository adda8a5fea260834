"""Question graphs: drawing them, proving what is asked of them, and telling two apart up to renaming.

A graph is a directed acyclic one over the numbers 0..N-1; an edge (a, b) reads "every a is a b". Nodes
without parents are persons, the others concepts. The question is whether `root` is a `target` or a
`neg_target`: only the first is reachable.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import networkx as nx
import numpy as np

# fmt: off
PERSONS = (
    "Alex", "Bob", "Carol", "Davis", "Eva", "Fae", "Gabriel", "Jack", "Max", "Oliver", "Polly", "Rex",
    "Sally", "Sam", "Stella", "Tom", "Wren",
)
CONCEPTS = (
    "bompus", "boompus", "brimpus", "chorpus", "dumpus", "felpus", "fompus", "gerpus", "gorpus", "grimpus",
    "gwompus", "hilpus", "impus", "jelpus", "jompus", "kerpus", "lempus", "lorpus", "numpus", "quimpus",
    "rempus", "rompus", "rorpus", "scrompus", "shumpus", "sterpus", "storpus", "terpus", "timpus", "tumpus",
    "vumpus", "worpus", "wumpus", "yerpus", "yimpus", "yumpus", "zhorpus", "zumpus",
)

# fmt: on

Edge = tuple[int, int]

BASES = (0, 1)  # the two nodes everything is meant to descend from
NEITHER, FIRST, SECOND, BOTH = 0, 1, 2, 3  # which base a node descends from, as bits


@dataclass(frozen=True, slots=True)
class Graph:
    """A named question graph. `names[i]` belongs to node i; edges are pairs of nodes."""

    names: tuple[str, ...]
    edges: tuple[Edge, ...]
    root: int
    target: int
    neg_target: int

    @property
    def digraph(self) -> nx.DiGraph:
        """The graph for networkx."""
        graph = nx.DiGraph()
        graph.add_nodes_from(range(len(self.names)))
        graph.add_edges_from(self.edges)
        return graph

    @property
    def persons(self) -> list[int]:
        """Nodes without parents."""
        children = {tail for _, tail in self.edges}
        return [node for node in range(len(self.names)) if node not in children]


# ------------------------------------------------------------------------------------------- solver


def shortest_paths(graph: Graph) -> list[list[int]]:
    """All shortest paths from root to target, in a fixed order; empty when there is none."""
    return _shortest_paths(graph.edges, graph.root, graph.target)


@lru_cache(maxsize=100_000)  # a question that is redrawn keeps its paths
def _shortest_paths(edges: tuple[Edge, ...], root: int, target: int) -> list[list[int]]:
    try:
        return sorted(nx.all_shortest_paths(nx.DiGraph(edges), root, target))
    except (nx.NetworkXNoPath, nx.NodeNotFound):
        return []


def fault(graph: Graph) -> str | None:
    """What makes this graph unfit to be asked about, or None. The proof behind every question.

    A fit graph is acyclic with one name for each node, joins every node to another, and lets the root
    reach the target but not the other option.
    """
    digraph = graph.digraph
    n = len(graph.names)
    nodes = range(n)
    if any(node not in nodes for edge in graph.edges for node in edge):
        return f"an edge names a node outside 0..{n - 1}"
    if any(node not in nodes for node in (graph.root, graph.target, graph.neg_target)):
        return f"root, target or neg_target is outside 0..{n - 1}"
    if len(set(graph.names)) != n:
        return "two nodes have the same name"
    if len(set(graph.edges)) != len(graph.edges):
        return "an edge is listed twice"
    if not nx.is_directed_acyclic_graph(digraph):
        return "the graph has a cycle"
    if any(degree == 0 for _, degree in digraph.degree()):
        return "a node has no edge"
    reached = nx.descendants(digraph, graph.root)
    if graph.target not in reached:
        return "the target cannot be reached from the root"
    if graph.neg_target in reached:
        return "the other option can be reached from the root too"
    return None


def fingerprint(graph: Graph) -> str:
    """A hash equal for graphs that differ by renaming alone; mirror questions of a graph share it.

    Colour refinement (Weisfeiler-Lehman) started from the roles: person, option, other concept. Two
    different graphs may agree by chance, which only rejects one too many.
    """
    options, persons = {graph.target, graph.neg_target}, set(graph.persons)
    digraph = graph.digraph
    for node in digraph:
        role = "option" if node in options else "person" if node in persons else "concept"
        digraph.nodes[node]["role"] = role
    with warnings.catch_warnings():  # networkx announces that version 3.5 changed these hashes
        warnings.simplefilter("ignore", UserWarning)
        return nx.weisfeiler_lehman_graph_hash(digraph, node_attr="role", iterations=4)


def in_order(edges: list[Edge]) -> tuple[Edge, ...]:
    """Edges sorted by the node they lead to, as in the published files."""
    return tuple(sorted(edges, key=lambda edge: (edge[1], edge[0])))


def name(
    graphs: tuple[Graph, ...], rng: np.random.Generator, persons: int = 17, concepts: int = 38
) -> tuple[Graph, ...]:
    """The same graphs with freshly drawn names, alike in all of them.

    Names come from the first `persons` and `concepts` of the lists; ValueError when they do not suffice.
    """
    if not graphs:
        return ()
    heads = set(graphs[0].persons)
    n_concepts = len(graphs[0].names) - len(heads)
    if len(heads) > persons or n_concepts > concepts:
        raise ValueError(f"{len(heads)} persons and {n_concepts} concepts need more names than there are")
    people: Iterator[str] = iter(PERSONS[i] for i in rng.permutation(persons))
    things: Iterator[str] = iter(CONCEPTS[i] for i in rng.permutation(concepts))
    names = tuple(next(people) if node in heads else next(things) for node in range(len(graphs[0].names)))
    return tuple(replace(graph, names=names) for graph in graphs)
