"""Graphs of mirror questions with matched options."""

from __future__ import annotations

import networkx as nx
import numpy as np

from coconut_study.questions.graphs import BASES, BOTH, FIRST, SECOND, Edge, Graph, in_order


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
    ordered, names = in_order(drawn), tuple(map(str, range(nodes)))
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
