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


# ------------------------------------------------------------------------------------------- drawing


class Shape:
    """A growing graph: parents of each node, the bases it descends from, its depth below its own base."""

    def __init__(self) -> None:
        self.labels = [FIRST, SECOND]
        self.depths = [0, 0]
        self.edges: list[Edge] = []

    def __len__(self) -> int:
        return len(self.labels)

    def weights(self, candidates: list[int]) -> np.ndarray:
        """Chances of being chosen as a parent: deeper nodes more often, so that chains get long."""
        weights = np.array([1.5 * self.depths[node] + 1 for node in candidates])
        return weights / weights.sum()

    def add(self, parents: list[int]) -> None:
        """Append a node below `parents`."""
        label = NEITHER
        for parent in parents:
            label |= self.labels[parent]
        own = [self.depths[parent] for parent in parents if self.labels[parent] == label]
        self.edges += [(parent, len(self)) for parent in parents]
        self.labels.append(label)
        self.depths.append(min(own) + 1 if own and label in (FIRST, SECOND) else 0)

    def leaves(self, label: int) -> list[int]:
        """Childless nodes below one base alone."""
        heads = {head for head, _ in self.edges}
        return [n for n in range(2, len(self)) if self.labels[n] == label and n not in heads]


def draw_prosqa(
    rng: np.random.Generator, nodes: int = 28, hops: tuple[int, int] = (3, 6)
) -> tuple[Graph, ...]:
    """One try of the process behind the published ProsQA files; empty when the try is discarded.

    It is the process recovered from the released questions, which differs from the paper's Algorithm 1
    (appendix A.2): a second random number decides between the second family and all nodes, and the target
    is the deepest leaf over both families. With 28 nodes, 93 in 100 tries are kept.
    """
    shape = Shape()
    while len(shape) < nodes:
        wanted = int(rng.poisson(1.5))
        if rng.random() <= 0.35:
            candidates = [n for n, label in enumerate(shape.labels) if label == FIRST]
        elif rng.random() <= 0.7:
            candidates = [n for n, label in enumerate(shape.labels) if label == SECOND]
        else:
            candidates = list(range(len(shape)))
        count = min(wanted, len(candidates))
        parents = rng.choice(candidates, count, replace=False, p=shape.weights(candidates))
        shape.add(sorted(parents.tolist()))
    leaves = [(shape.depths[leaf], leaf) for label in (FIRST, SECOND) for leaf in shape.leaves(label)]
    deepest = max((depth for depth, _ in leaves), default=0)
    if not hops[0] <= deepest <= hops[1]:
        return ()
    target = int(rng.choice([leaf for depth, leaf in leaves if depth == deepest]))
    others = shape.leaves(BOTH - shape.labels[target])
    if not others:
        return ()
    root = BASES[shape.labels[target] - 1]
    return (_joined(shape, root, target, int(rng.choice(others))),)


def draw_balanced(
    rng: np.random.Generator, nodes: int = 23, edges: int = 36, hops: tuple[int, int] = (3, 6)
) -> tuple[Graph, ...]:
    """One try at a pair of mirror questions on one graph; empty when the try is discarded.

    Both options are leaves with the same depth below their own root and the same number of parents, and
    each is reachable from its own root alone. The graph asks about both roots with the same two options,
    so that a rule that ignores the root is right half of the time.
    """
    depth = int(rng.integers(hops[0], hops[1] + 1))
    labels, ends, tree = _two_chains(rng, nodes, depth)
    taken = set(tree)
    free = [
        (a, b)
        for b in range(2, nodes)
        for a in range(b)
        if a not in ends and not labels[a] & ~labels[b] and (a, b) not in taken
    ]
    spare = edges - len(tree)
    if not 0 <= spare <= len(free):
        return ()
    drawn = tree + [free[i] for i in rng.choice(len(free), spare, replace=False)]
    digraph = nx.DiGraph(drawn)
    a, b = ends
    if (
        nx.shortest_path_length(digraph, 0, a) != depth
        or nx.shortest_path_length(digraph, 1, b) != depth
        or digraph.in_degree(a) != digraph.in_degree(b)
        or min(digraph.out_degree(base) for base in BASES) < 2
    ):
        return ()
    ordered, names = _in_order(drawn), tuple(map(str, range(nodes)))
    return Graph(names, ordered, 0, a, b), Graph(names, ordered, 1, b, a)


def _two_chains(
    rng: np.random.Generator, nodes: int, depth: int
) -> tuple[list[int], tuple[int, int], list[Edge]]:
    """A tree with a chain of `depth` edges below each base: labels, the two ends of the chains, edges.

    A label says which bases a node may descend from: edges lead only to labels that hold their own, so
    that no end is ever reached from the other base. The ends have no children.
    """
    labels, ends, tree = [FIRST, SECOND], [-1, -1], []
    last, length = [0, 1], [0, 0]
    for chain in rng.permutation(np.repeat([0, 1, 2], [depth, depth, nodes - 2 - 2 * depth])).tolist():
        node = len(labels)
        if chain in BASES:
            labels.append((FIRST, SECOND)[chain])
            tree.append((last[chain], node))
            last[chain], length[chain] = node, length[chain] + 1
            if length[chain] == depth:
                ends[chain] = node
        else:
            label = int(rng.choice([FIRST, SECOND, BOTH]))
            heads = [n for n in range(node) if n not in ends and not labels[n] & ~label]
            labels.append(label)
            tree.append((int(rng.choice(heads)), node))
    return labels, (ends[0], ends[1]), tree


def _in_order(edges: list[Edge]) -> tuple[Edge, ...]:
    """Edges sorted by the node they lead to, as in the published files."""
    return tuple(sorted(edges, key=lambda edge: (edge[1], edge[0])))


def _joined(shape: Shape, root: int, target: int, neg_target: int) -> Graph:
    """The graph without nodes that have no edge, renumbered; edges sorted by their tail."""
    kept = sorted({node for edge in shape.edges for node in edge})
    number = {node: i for i, node in enumerate(kept)}
    edges = [(number[a], number[b]) for a, b in shape.edges]
    names = tuple(map(str, range(len(kept))))
    return Graph(names, _in_order(edges), number[root], number[target], number[neg_target])


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
