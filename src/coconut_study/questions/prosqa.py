"""ProsQA questions: random graphs from the process behind the published files (paper appendix A.2)."""

from __future__ import annotations

import numpy as np

from coconut_study.questions.graphs import BOTH, FIRST, NEITHER, ROOTS, SECOND, Edge, Graph, sorted_by_tail


class GrowingGraph:
    """A graph to which nodes are added one by one, starting from the two roots.

    `families[i]` is the family of node i. `depths[i]` is its distance from the root of its family over
    nodes of this family alone, 0 for nodes of neither family or of both.
    """

    def __init__(self) -> None:
        self.families = [FIRST, SECOND]
        self.depths = [0, 0]
        self.edges: list[Edge] = []

    def __len__(self) -> int:
        return len(self.families)

    def weights(self, candidates: list[int]) -> np.ndarray:
        """Probability of each candidate to become a parent: larger for deeper nodes, so that chains grow."""
        weights = np.array([1.5 * self.depths[node] + 1 for node in candidates])
        return weights / weights.sum()

    def add(self, parents: list[int]) -> None:
        """Append a node that is a child of `parents`."""
        family = NEITHER
        for parent in parents:
            family |= self.families[parent]
        depths = [self.depths[parent] for parent in parents if self.families[parent] == family]
        self.edges += [(parent, len(self)) for parent in parents]
        self.families.append(family)
        self.depths.append(min(depths) + 1 if depths and family in (FIRST, SECOND) else 0)

    def leaves(self, family: int) -> list[int]:
        """Nodes of a family without children, the roots excepted."""
        heads = {head for head, _ in self.edges}
        return [n for n in range(2, len(self)) if self.families[n] == family and n not in heads]


def draw(rng: np.random.Generator, nodes: int = 28, hops: tuple[int, int] = (3, 6)) -> tuple[Graph, ...]:
    """Draw one graph of `nodes` nodes, with a target `hops[0]` to `hops[1]` edges from the root.

    Returns a tuple with the graph, without the nodes that got no edge; an empty tuple if the attempt is
    rejected. With 28 nodes, 93 of 100 attempts succeed.

    The process was recovered from the released questions. It differs from the paper's Algorithm 1
    (appendix A.2): a second random number chooses between the second family and all nodes, and the target
    is the deepest leaf of both families together.
    """
    growing = GrowingGraph()
    while len(growing) < nodes:
        wanted = int(rng.poisson(1.5))
        if rng.random() <= 0.35:
            candidates = [n for n, family in enumerate(growing.families) if family == FIRST]
        elif rng.random() <= 0.7:
            candidates = [n for n, family in enumerate(growing.families) if family == SECOND]
        else:
            candidates = list(range(len(growing)))
        count = min(wanted, len(candidates))
        parents = rng.choice(candidates, count, replace=False, p=growing.weights(candidates))
        growing.add(sorted(parents.tolist()))
    leaves = [(growing.depths[leaf], leaf) for family in (FIRST, SECOND) for leaf in growing.leaves(family)]
    deepest = max((depth for depth, _ in leaves), default=0)
    if not hops[0] <= deepest <= hops[1]:
        return ()
    target = int(rng.choice([leaf for depth, leaf in leaves if depth == deepest]))
    others = growing.leaves(BOTH - growing.families[target])
    if not others:
        return ()
    root = ROOTS[growing.families[target] - 1]
    return (_graph(growing, root, target, int(rng.choice(others))),)


def _graph(growing: GrowingGraph, root: int, target: int, neg_target: int) -> Graph:
    """The finished graph: nodes without an edge removed, the others renumbered, edges sorted by tail."""
    kept = sorted({node for edge in growing.edges for node in edge})
    number = {node: i for i, node in enumerate(kept)}
    edges = [(number[head], number[tail]) for head, tail in growing.edges]
    names = tuple(map(str, range(len(kept))))
    return Graph(names, sorted_by_tail(edges), number[root], number[target], number[neg_target])
