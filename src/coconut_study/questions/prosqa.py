"""Graphs from the process behind the released ProsQA files."""

from __future__ import annotations

import numpy as np

from coconut_study.questions.graphs import BASES, BOTH, FIRST, NEITHER, SECOND, Edge, Graph, in_order


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


def _joined(shape: Shape, root: int, target: int, neg_target: int) -> Graph:
    """The graph without nodes that have no edge, renumbered; edges sorted by their tail."""
    kept = sorted({node for edge in shape.edges for node in edge})
    number = {node: i for i, node in enumerate(kept)}
    edges = [(number[a], number[b]) for a, b in shape.edges]
    names = tuple(map(str, range(len(kept))))
    return Graph(names, in_order(edges), number[root], number[target], number[neg_target])
