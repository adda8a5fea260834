"""Question graphs: the record, its shortest paths and validity, a fingerprint, and names for its nodes.

A question graph is a directed acyclic graph over the nodes 0..N-1. An edge (head, tail) reads "every head is
a tail". Nodes without parents are persons, all others are concepts. The question is whether `root` is a
`target` or a `neg_target`; only the target can be reached from the root (paper appendix A.2).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

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

Edge = tuple[int, int]  # (head, tail)

# In generated graphs nodes 0 and 1 are the two possible roots. A node's family says from which of them it
# descends, one bit for each root.
ROOTS = (0, 1)
NEITHER, FIRST, SECOND, BOTH = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Graph:
    """A question graph. `names[i]` is the name of node i; `root`, `target` and `neg_target` are nodes."""

    names: tuple[str, ...]
    edges: tuple[Edge, ...]
    root: int
    target: int
    neg_target: int

    @property
    def digraph(self) -> nx.DiGraph:
        """The same nodes and edges as a networkx graph."""
        graph = nx.DiGraph()
        graph.add_nodes_from(range(len(self.names)))
        graph.add_edges_from(self.edges)
        return graph

    @property
    def persons(self) -> list[int]:
        """The nodes without parents, in ascending order."""
        children = {tail for _, tail in self.edges}
        return [node for node in range(len(self.names)) if node not in children]


# ----------------------------------------------------------------------------------- paths and validity


def shortest_paths(graph: Graph) -> list[list[int]]:
    """All shortest paths from root to target as lists of nodes, sorted; empty if there is none."""
    return _shortest_paths(graph.edges, graph.root, graph.target)


@lru_cache(maxsize=100_000)  # a question that is redrawn keeps its paths
def _shortest_paths(edges: tuple[Edge, ...], root: int, target: int) -> list[list[int]]:
    try:
        return sorted(nx.all_shortest_paths(nx.DiGraph(edges), root, target))
    except (nx.NetworkXNoPath, nx.NodeNotFound):
        return []


def fault(graph: Graph) -> str | None:
    """The first reason why no question can be asked about this graph, or None if the graph is valid.

    A valid graph is acyclic, names every node differently, has no isolated node and no repeated edge, and
    the root reaches the target but not the other option.
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
    """A hash that does not depend on names, numbering of nodes, or which person is asked about.

    Mirror questions on one graph share it. It is the Weisfeiler-Lehman hash, started from the role of each
    node: person, option or other concept. Different graphs rarely have the same hash; a generator then
    rejects one graph more than it has to.
    """
    options, persons = {graph.target, graph.neg_target}, set(graph.persons)
    digraph = graph.digraph
    for node in digraph:
        role = "option" if node in options else "person" if node in persons else "concept"
        digraph.nodes[node]["role"] = role
    with warnings.catch_warnings():  # networkx warns that version 3.5 changed these hashes
        warnings.simplefilter("ignore", UserWarning)
        return nx.weisfeiler_lehman_graph_hash(digraph, node_attr="role", iterations=4)


def with_bystanders(graphs: tuple[Graph, ...], count: int, rng: np.random.Generator) -> tuple[Graph, ...]:
    """Graphs that were drawn together, with `count` more persons, each with facts about two concepts.

    The new facts are the same in all graphs and lead to no node of a shortest path and to no option, so
    that the answers, the paths and the numbers of parents along them stay as they were. Returns an empty
    tuple if the graphs have fewer than two other concepts.
    """
    n, persons = len(graphs[0].names), graphs[0].persons
    on_paths = {node for graph in graphs for path in shortest_paths(graph) for node in path}
    free = [node for node in range(n) if node not in on_paths and node not in persons]
    if len(free) < 2:
        return ()
    added = [(n + i, tail) for i in range(count) for tail in rng.choice(free, 2, replace=False).tolist()]
    names = tuple(map(str, range(n + count)))
    return tuple(replace(graph, names=names, edges=(*graph.edges, *added)) for graph in graphs)


def sorted_by_tail(edges: list[Edge]) -> tuple[Edge, ...]:
    """Edges sorted by tail, then by head: the order of the published files."""
    return tuple(sorted(edges, key=lambda edge: (edge[1], edge[0])))


def rename(
    graphs: tuple[Graph, ...],
    rng: np.random.Generator,
    persons: int = 17,
    concepts: int = 38,
    names: Literal["drawn", "ranked"] = "drawn",
) -> tuple[Graph, ...]:
    """Mirror graphs (same nodes and edges) with newly drawn names, the same in all of them.

    Names are drawn from the first `persons` of `PERSONS` and the first `concepts` of `CONCEPTS`; ValueError
    if a graph has more persons or concepts than that. With `ranked`, the names of concepts are given out in
    the order of their list: first to the nodes nearest to a person, those equally near in random order.
    """
    if not graphs:
        return ()
    heads = set(graphs[0].persons)
    n_concepts = len(graphs[0].names) - len(heads)
    if len(heads) > persons or n_concepts > concepts:
        raise ValueError(
            f"a graph with {len(heads)} persons and {n_concepts} concepts needs more names than the "
            f"{persons} and {concepts} allowed"
        )
    people: Iterator[str] = iter(PERSONS[i] for i in rng.permutation(persons))
    drawn = rng.permutation(concepts).tolist()
    if names == "ranked":
        drawn = _in_order(sorted(drawn[:n_concepts]), graphs[0], rng)
    things: Iterator[str] = iter(CONCEPTS[i] for i in drawn)
    named = tuple(next(people) if node in heads else next(things) for node in range(len(graphs[0].names)))
    return tuple(replace(graph, names=named) for graph in graphs)


def _in_order(numbers: list[int], graph: Graph, rng: np.random.Generator) -> list[int]:
    """Ascending `numbers`, one for each concept in the order of the nodes, by distance from the persons."""
    distances = _distances(graph.edges)
    ranks = np.argsort(np.lexsort(np.array([rng.random(len(distances)), distances])))
    return [numbers[rank] for rank in ranks]


@lru_cache(maxsize=100_000)  # as for the paths
def _distances(edges: tuple[Edge, ...]) -> list[int]:
    """Edges from the nearest person to each concept, in the order of the nodes."""
    digraph = nx.DiGraph(edges)
    persons = {node for node, n_parents in digraph.in_degree() if not n_parents}
    found = nx.multi_source_dijkstra_path_length(digraph, persons)
    return [found[node] for node in sorted({*digraph} - persons)]
