"""Balanced questions: two mirror questions on one graph, whose options look alike to every simple rule."""

from __future__ import annotations

import networkx as nx
import numpy as np

from coconut_study.questions.graphs import BOTH, FIRST, ROOTS, SECOND, Edge, Graph, sorted_by_tail


def draw(
    rng: np.random.Generator, nodes: int = 23, edges: int = 36, hops: tuple[int, int] = (3, 6)
) -> tuple[Graph, ...]:
    """Draw one graph of `nodes` nodes and `edges` edges, asked about in two mirror questions.

    Returns the graph twice, once for each root, with target and other option swapped; an empty tuple if the
    attempt is rejected. Both options are leaves at the same distance (`hops[0]` to `hops[1]` edges) from
    their own root, with the same number of parents, and each can be reached from its own root alone. A rule
    that ignores the root therefore answers exactly one of the two correctly.
    """
    depth = int(rng.integers(hops[0], hops[1] + 1))
    families, ends, tree = _two_chains(rng, nodes, depth)
    taken = set(tree)
    free = [
        (a, b)
        for b in range(2, nodes)
        for a in range(b)
        if a not in ends and not families[a] & ~families[b] and (a, b) not in taken
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
        or min(digraph.out_degree(root) for root in ROOTS) < 2
    ):
        return ()
    ordered, names = sorted_by_tail(drawn), tuple(map(str, range(nodes)))
    return Graph(names, ordered, 0, a, b), Graph(names, ordered, 1, b, a)


def _two_chains(
    rng: np.random.Generator, nodes: int, depth: int
) -> tuple[list[int], tuple[int, int], list[Edge]]:
    """Draw a tree for each root that contains a chain of `depth` edges.

    Returns the families of all nodes, the last nodes of the two chains, and the edges. A family here says
    from which roots a node may descend: an edge leads only to families that include its own, so that the
    end of a chain is never reached from the other root. The ends have no children.
    """
    families, ends, tree = [FIRST, SECOND], [-1, -1], []
    last, length = [0, 1], [0, 0]
    for chain in rng.permutation(np.repeat([0, 1, 2], [depth, depth, nodes - 2 - 2 * depth])).tolist():
        node = len(families)
        if chain in ROOTS:
            families.append((FIRST, SECOND)[chain])
            tree.append((last[chain], node))
            last[chain], length[chain] = node, length[chain] + 1
            if length[chain] == depth:
                ends[chain] = node
        else:
            family = int(rng.choice([FIRST, SECOND, BOTH]))
            heads = [n for n in range(node) if n not in ends and not families[n] & ~family]
            families.append(family)
            tree.append((int(rng.choice(heads)), node))
    return families, (ends[0], ends[1]), tree
