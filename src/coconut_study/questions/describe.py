"""Statistics of a set of questions, in the measures published for ProsQA (paper appendix A.2)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from coconut_study.questions.graphs import shortest_paths
from coconut_study.questions.question import Question, options_of

COLUMNS = ("measure", "value")


def statistics(questions: Sequence[Question]) -> pd.DataFrame:
    """Means over the questions and shares in percent: one row per measure, with the columns `COLUMNS`.

    Measures of graphs are included if every question has a graph.
    """
    steps = pd.Series([len(question.steps) for question in questions])
    shares = 100 * steps.value_counts(normalize=True).sort_index()
    measures = {"questions": float(len(questions)), "steps": steps.mean()}
    measures |= {f"{n} steps (%)": share for n, share in shares.items()}
    if all(question.graph is not None for question in questions):
        measures |= _graph_measures(questions)
    return pd.DataFrame(measures.items(), columns=list(COLUMNS))


def _graph_measures(questions: Sequence[Question]) -> dict[str, float]:
    rows = []
    for question in questions:
        graph = question.graph
        assert graph is not None
        rows.append(
            {
                "nodes": len(graph.names),
                "edges": len(graph.edges),
                "shortest paths": len(shortest_paths(graph)),
                "persons": len(graph.persons),
                "root is node 0 (%)": 100 * (graph.root == 0),
                "right option named first (%)": 100
                * (options_of(question.question)[0] == graph.names[graph.target]),
            }
        )
    return {str(name): value for name, value in pd.DataFrame(rows).mean().items()}
