"""Crossed questions: groups of four that no rule solves without following a path.

A group is a graph and its twin, each asked from both roots with the same two options. In the graph root r
leads to option a and root s to option b, over paths of equal length. The twin crosses two facts in the middle
of these paths, u -> v and x -> y, into u -> y and x -> v, so that both answers change:

    graph   r -> .. -> u -> v -> .. -> a        twin   r -> .. -> u -> y -> .. -> b
            s -> .. -> x -> y -> .. -> b               s -> .. -> x -> v -> .. -> a

u and x are equally far from their roots and have equally many parents and children, and so have v and y. What
a rule can count around a root as far as v, and around the options as far as u, is therefore the same in graph
and twin, whose right answers differ: whatever it makes of these counts, learned or not, it answers one of the
two questions correctly. docs/crossed.md states this as a proposition, with its limits.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from coconut_study.questions.graphs import Edge, Graph, sorted_by_tail

# The class of a node: it descends from one root alone and not from a crossed fact (upper); it descends from a
# crossed fact, and leads to the option there (lower); or it leads to no option (other).
UPPER, LOWER, OTHER = (0, 1), (2, 3), 4
CLASSES = 5
SHARES = (0.15, 0.15, 0.1, 0.1, 0.5)  # of the classes, among nodes that are not on a path
# Classes that the parents of a node of each class come from.
PARENTS: dict[int, tuple[int, ...]] = {0: (0,), 1: (1,), 2: (2,), 3: (3,), OTHER: (0, 1, 2, 3, OTHER)}


class Plan(NamedTuple):
    """What is drawn first: classes and levels of the nodes, in topological order, two paths, and a tree.

    The level of a node is its number of edges from a root over the tree. Each path leads from a root to its
    option. The tree joins every node to a root.
    """

    classes: list[int]
    levels: list[int]
    paths: tuple[list[int], list[int]]
    tree: list[Edge]


def draw(
    rng: np.random.Generator, nodes: int = 23, edges: int = 36, hops: tuple[int, int] = (3, 6)
) -> tuple[Graph, ...]:
    """Draw one group on `nodes` nodes and `edges` edges, with paths of `hops[0]` to `hops[1]` edges.

    Returns the graph asked from both roots, then its twin asked from both; an empty tuple if the attempt is
    rejected. Edges are sorted by the node they lead to; those of the twin are in the places of the graph's.
    """
    depth = int(rng.integers(hops[0], hops[1] + 1))
    middle = int(rng.integers(1, depth - 1))  # edges from a root to the crossed fact
    plan = _plan(rng, nodes, depth, middle)
    free = _free(plan)
    spare = edges - len(plan.tree)
    if not 0 <= spare <= len(free):
        return ()
    drawn = sorted_by_tail(plan.tree + [free[i] for i in rng.choice(len(free), spare, replace=False)])
    if not _fits(drawn, plan, middle):
        return ()
    (r, a), (s, b) = ((path[0], path[-1]) for path in plan.paths)
    names = tuple(map(str, range(nodes)))
    twin = _crossed(drawn, plan, middle)
    return (
        Graph(names, drawn, r, a, b),
        Graph(names, drawn, s, b, a),
        Graph(names, twin, r, b, a),
        Graph(names, twin, s, a, b),
    )


def _plan(rng: np.random.Generator, nodes: int, depth: int, middle: int) -> Plan:
    """Draw the classes of the nodes in topological order, then the paths and the tree.

    Upper nodes come before lower ones, so that crossing the facts between them makes no cycle.
    """
    n_others = nodes - 2 * (depth + 1)
    kinds = rng.choice(CLASSES, size=n_others, p=SHARES).tolist()
    upper = [0] * (middle + 1) + [1] * (middle + 1)
    lower = [2] * (depth - middle) + [3] * (depth - middle)
    on_path = {0: upper.count(0), 1: upper.count(1), 2: lower.count(2), 3: lower.count(3)}
    classes: list[int] = []
    for part, own in ((upper, UPPER), (lower, LOWER)):
        classes += rng.permutation(part + [kind for kind in kinds if kind in own]).tolist()
    for kind in kinds:
        if kind == OTHER:
            classes.insert(int(rng.integers(1, len(classes) + 1)), OTHER)
    return _joined(rng, classes, on_path)


def _joined(rng: np.random.Generator, classes: list[int], on_path: dict[int, int]) -> Plan:
    """Draw which nodes of each class are on a path, and a parent for every other node."""
    members = {kind: [n for n, c in enumerate(classes) if c == kind] for kind in range(CLASSES)}
    chains = {}
    for kind, count in on_path.items():
        first, rest = members[kind][0], members[kind][1:]
        last = [rest.pop()] if kind in LOWER and count > 1 else []  # an option has no children
        inner = sorted(rng.choice(rest, count - 1 - len(last), replace=False).tolist())
        chains[kind] = [first, *inner, *last]
    paths = chains[0] + chains[2], chains[1] + chains[3]
    tree = [edge for path in paths for edge in pairwise(path)]
    levels = {node: level for path in paths for level, node in enumerate(path)}
    ends = {path[-1] for path in paths}
    for node, kind in enumerate(classes):
        if node not in levels:
            heads = [n for n in range(node) if classes[n] in PARENTS[kind] and n not in ends]
            tree.append((int(rng.choice(heads)), node))
            levels[node] = levels[tree[-1][0]] + 1
    return Plan(classes, [levels[node] for node in range(len(classes))], paths, tree)


def _free(plan: Plan) -> list[Edge]:
    """The edges that may be added: none bypasses a crossed fact or shortens a path."""
    taken = set(plan.tree)
    ends = {path[-1] for path in plan.paths}
    return [
        (head, tail)
        for tail, kind in enumerate(plan.classes)
        if tail not in (plan.paths[0][0], plan.paths[1][0])
        for head in range(tail)
        if plan.classes[head] in PARENTS[kind]
        and head not in ends
        and (head, tail) not in taken
        and (kind == OTHER or plan.levels[tail] <= plan.levels[head] + 1)
    ]


def _fits(edges: tuple[Edge, ...], plan: Plan, middle: int) -> bool:
    """Whether both roots have two children or more, and the matched nodes (u and x, v and y, a and b) have
    equally many parents and children."""
    n_parents = np.bincount([tail for _, tail in edges], minlength=len(plan.classes))
    n_children = np.bincount([head for head, _ in edges], minlength=len(plan.classes))
    one, other = plan.paths
    return min(n_children[one[0]], n_children[other[0]]) > 1 and all(
        n_parents[one[place]] == n_parents[other[place]]
        and n_children[one[place]] == n_children[other[place]]
        for place in (middle, middle + 1, -1)
    )


def _crossed(edges: tuple[Edge, ...], plan: Plan, middle: int) -> tuple[Edge, ...]:
    """The edges of the twin, each in the place that it or the one it stands for has in the graph."""
    (u, v), (x, y) = (path[middle : middle + 2] for path in plan.paths)
    swapped = {(u, v): (u, y), (x, y): (x, v)}
    return tuple(swapped.get(edge, edge) for edge in edges)
