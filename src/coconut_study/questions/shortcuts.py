"""Rules that answer a graph question without planning a path; models are worth what they add to them. Pure.

Each rule says which option it prefers by a number for each; the larger one is answered, and equal numbers
are a coin. On the released ProsQA questions the first three are right in 66 %, 94 % and 84 % of cases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import networkx as nx
import pandas as pd

from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import Question

Rule = Callable[[Graph, nx.DiGraph, int], float]


def fewer_facts(graph: Graph, digraph: nx.DiGraph, option: int) -> float:
    """The option named in fewer facts."""
    return -digraph.degree(option)


def deeper(graph: Graph, digraph: nx.DiGraph, option: int) -> float:
    """The option farther from the nearest person it descends from."""
    above = nx.single_source_shortest_path_length(digraph.reverse(copy=False), option)
    return min(above[person] for person in graph.persons if person in above)


def no_other_person_near(graph: Graph, digraph: nx.DiGraph, option: int) -> float:
    """Not the option one of whose parents is a direct fact about another person."""
    others = [person for person in graph.persons if person != graph.root]
    told = {child for person in others for child in digraph.successors(person)}
    return -any(parent in told for parent in digraph.predecessors(option))


def within_two_steps(graph: Graph, digraph: nx.DiGraph, option: int) -> float:
    """The option that a search of two steps from the asked person finds."""
    return option in nx.single_source_shortest_path_length(digraph, graph.root, cutoff=2)


RULES: dict[str, Rule] = {
    "fewer facts name it": fewer_facts,
    "deeper below its person": deeper,
    "no parent told of another person": no_other_person_near,
    "two steps from the asked person": within_two_steps,
}


def accuracy(rule: Rule, questions: Sequence[Question]) -> float:
    """Share of right answers in percent, a coin counted as half; NaN where a question has no graph."""
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
    """One row a rule: its name and its share of right answers (percent)."""
    return pd.DataFrame(
        [{"rule": name, "accuracy": accuracy(rule, questions)} for name, rule in RULES.items()]
    )
