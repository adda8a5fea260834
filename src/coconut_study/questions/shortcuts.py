"""Shortcuts: simple rules that answer a graph question without planning a path, as baselines for models.

A rule gives each of the two options a score and answers the option with the larger one; equal scores count as
a coin toss. On the released ProsQA questions the first three of `RULES` are right in 66 %, 94 % and 84 % of
cases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import networkx as nx
import pandas as pd

from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import Question

COLUMNS = ("rule", "accuracy")
Rule = Callable[[Graph, nx.DiGraph, int], float]  # graph, the same as a networkx graph, option -> score


def fewer_facts(graph: Graph, digraph: nx.DiGraph, option: int) -> float:
    """Prefers the option that fewer facts name."""
    return -digraph.degree(option)


def deeper(graph: Graph, digraph: nx.DiGraph, option: int) -> float:
    """Prefers the option that is farther from the nearest person it descends from."""
    above = nx.single_source_shortest_path_length(digraph.reverse(copy=False), option)
    return min(above[person] for person in graph.persons if person in above)


def no_other_person_near(graph: Graph, digraph: nx.DiGraph, option: int) -> float:
    """Avoids an option if a fact about another person names one of its parents."""
    others = [person for person in graph.persons if person != graph.root]
    named = {child for person in others for child in digraph.successors(person)}
    return -any(parent in named for parent in digraph.predecessors(option))


def within_two_steps(graph: Graph, digraph: nx.DiGraph, option: int) -> float:
    """Prefers an option within two steps of the person that is asked about."""
    return option in nx.single_source_shortest_path_length(digraph, graph.root, cutoff=2)


RULES: dict[str, Rule] = {
    "fewer facts name it": fewer_facts,
    "deeper below its person": deeper,
    "no parent told of another person": no_other_person_near,
    "two steps from the asked person": within_two_steps,
}


def accuracy(rule: Rule, questions: Sequence[Question]) -> float:
    """Share of right answers in percent, a tie counted as half; NaN if a question has no graph."""
    if not all(question.graph for question in questions):
        return float("nan")
    points = []
    for question in questions:
        graph = question.graph
        assert graph is not None
        digraph = graph.digraph
        right, wrong = (rule(graph, digraph, option) for option in (graph.target, graph.neg_target))
        points.append(1.0 if right > wrong else 0.5 if right == wrong else 0.0)
    return 100 * sum(points) / len(points)


def table(questions: Sequence[Question]) -> pd.DataFrame:
    """One row per rule: its name and its share of right answers in percent (columns `COLUMNS`)."""
    rows = [(name, accuracy(rule, questions)) for name, rule in RULES.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS))
