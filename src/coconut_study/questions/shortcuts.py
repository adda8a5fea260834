"""Shortcuts: simple rules that answer a graph question without planning a path, as baselines for models.

A rule gives the probability that its answer is right. Most rules give each of the two options a score and
answer the option with the larger one; equal scores are a coin toss. Rules that are learned from training
questions are in `neighbourhoods`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import networkx as nx
import numpy as np
import pandas as pd

from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import Question, group_numbers

COLUMNS = ("rule", "question", "group", "points")

Rule = Callable[[Graph, nx.DiGraph], float]  # graph, the same as a networkx graph -> probability to be right
Score = Callable[[Graph, nx.DiGraph, int], float]  # the same, an option -> its score


def larger(score: Score) -> Rule:
    """The rule that answers the option with the larger score, and tosses a coin if both are equal."""

    def rule(graph: Graph, digraph: nx.DiGraph) -> float:
        right, wrong = (score(graph, digraph, option) for option in (graph.target, graph.neg_target))
        return (1 + np.sign(right - wrong)) / 2

    return rule


# ---------------------------------------------------------------------------- rules that look at options


def fewer_facts(graph: Graph, digraph: nx.DiGraph, option: int) -> float:
    """Prefers the option that fewer facts name."""
    return -digraph.degree(option)


def deeper_below_person(graph: Graph, digraph: nx.DiGraph, option: int) -> float:
    """Prefers the option that is farther from the nearest person it descends from."""
    return min(_persons_above(graph, digraph, option).values())


def deeper_below_base(graph: Graph, digraph: nx.DiGraph, option: int) -> float:
    """Prefers the option that is farther from its base node: the person above it with the most descendants
    (of several the first).

    The released questions are drawn around two base nodes, and their right option is never less deep below
    its own than the wrong one below the other.
    """
    above = _persons_above(graph, digraph, option)
    return above[max(above, key=lambda person: len(nx.descendants(digraph, person)))]


def no_parent_told_of_another(graph: Graph, digraph: nx.DiGraph, option: int) -> float:
    """Avoids an option if a fact about another person names one of its parents."""
    named = {child for person in _others(graph) for child in digraph.successors(person)}
    return -any(parent in named for parent in digraph.predecessors(option))


def no_other_person_near(graph: Graph, digraph: nx.DiGraph, option: int, within: int) -> float:
    """Avoids an option that is within so many edges of another person."""
    above = _persons_above(graph, digraph, option)
    return -any(above.get(person, within + 1) <= within for person in _others(graph))


def farther_from_others(graph: Graph, digraph: nx.DiGraph, option: int) -> float:
    """Prefers the option that is farther from the nearest other person above it, or has none above it."""
    above = _persons_above(graph, digraph, option)
    return min((above[person] for person in _others(graph) if person in above), default=len(digraph))


# ------------------------------------------------------------------------- rules that look at the root, too


def richer(graph: Graph, digraph: nx.DiGraph, option: int) -> float:
    """Prefers the option whose parents have more parents, if more facts are about the root's children than
    about those of the other persons on average; otherwise the one whose parents have fewer."""
    others = [_facts_about_children(digraph, person) for person in _others(graph)]
    more = _facts_about_children(digraph, graph.root) - np.mean(others) if others else 0
    return np.sign(more) * sum(digraph.in_degree(parent) for parent in digraph.predecessors(option))


def reached(graph: Graph, digraph: nx.DiGraph, option: int, within: int) -> float:
    """Prefers an option within so many edges of the person that is asked about."""
    return option in nx.single_source_shortest_path_length(digraph, graph.root, cutoff=within)


def walk(graph: Graph, digraph: nx.DiGraph) -> float:
    """Walks from the root to a random child of each node until it comes to an option or to a node without
    children. Answers the option at which the walk ends, or tosses a coin."""
    options = (graph.target, graph.neg_target)
    visited = dict.fromkeys(digraph, 0.0) | {graph.root: 1.0}
    for node in nx.topological_sort(digraph):
        children = [] if node in options else [*digraph.successors(node)]
        for child in children:
            visited[child] += visited[node] / len(children)
    right, wrong = (visited[option] for option in options)
    return (1 + right - wrong) / 2


RULES: Mapping[str, Rule] = {
    "fewer facts name it": larger(fewer_facts),
    "deeper below its person": larger(deeper_below_person),
    "deeper below its base node": larger(deeper_below_base),
    "no parent told of another person": larger(no_parent_told_of_another),
    "no other person within three edges": larger(partial(no_other_person_near, within=3)),
    "farther from the nearest other person": larger(farther_from_others),
    "within two edges of the root": larger(partial(reached, within=2)),
    "within four edges of the root": larger(partial(reached, within=4)),
    "richer parents below a richer root": larger(richer),
    "unplanned walk, else a coin": walk,
}
# Rules that search for a path between a person and an option. One that finds it in every question of a data
# set is no shortcut there, but the task itself.
SEARCHES = (
    "no parent told of another person",
    "no other person within three edges",
    "farther from the nearest other person",
    "within two edges of the root",
    "within four edges of the root",
)


# -------------------------------------------------------------------------------------------------- table


def table(questions: Sequence[Question]) -> pd.DataFrame:
    """One row per rule of `RULES` and question, with the columns `COLUMNS`; no rows without graphs.

    `points` is the probability that the answer of the rule is right: 0, 0.5 for a coin toss, 1, or between
    them for the walk. A search (`SEARCHES`) that is right in every question has no rows.
    """
    graphs = graphs_of(questions)
    pairs = [(graph, graph.digraph) for graph in graphs]
    points = {name: [rule(*pair) for pair in pairs] for name, rule in RULES.items()}
    whole = [name for name in SEARCHES if min(points[name], default=0) == 1]
    return rows({name: values for name, values in points.items() if name not in whole}, questions)


def rows(points: Mapping[str, Sequence[float]], questions: Sequence[Question]) -> pd.DataFrame:
    """The points of every rule as a table with the columns `COLUMNS`; a rule has one for each question."""
    groups = group_numbers(questions)
    tables = [
        pd.DataFrame({"rule": name, "question": range(len(groups)), "group": groups, "points": values})
        for name, values in points.items()
        if len(values)
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))


def graphs_of(questions: Sequence[Question]) -> list[Graph]:
    """The graph of every question; an empty list if one has none."""
    graphs = [question.graph for question in questions if question.graph is not None]
    return graphs if len(graphs) == len(questions) else []


def _others(graph: Graph) -> list[int]:
    """The persons that are not asked about."""
    return [person for person in graph.persons if person != graph.root]


def _persons_above(graph: Graph, digraph: nx.DiGraph, option: int) -> dict[int, int]:
    """The persons that an option descends from, with their distances from it."""
    above = nx.single_source_shortest_path_length(digraph.reverse(copy=False), option)
    return {person: above[person] for person in graph.persons if person in above}


def _facts_about_children(digraph: nx.DiGraph, person: int) -> int:
    return sum(digraph.out_degree(child) for child in digraph.successors(person))
