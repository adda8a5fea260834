"""Linear probes: what can be read off the state after each number of thoughts with a linear map.

Two things are read: which nodes can be reached from the root within k edges (one logistic regression for the
name of every node), and which option is the right one (one over the names of options; a question is right if
its right option scores above its wrong one). Probes learn from the questions of every other group and are
tested on the rest. What they read is worth what they read more than three other probes of the same kind do:
from the state before the first thought, from the model before it was trained, and with the labels of another
question's graph in place of a question's own.

Dimensions: N questions, K thoughts, D hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Seq
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from coconut_study.evaluation.columns import LINEAR, RUN
from coconut_study.evaluation.places import option_names
from coconut_study.questions.question import Question, group_numbers

LINEAR_COLUMNS = LINEAR[len(RUN) + 1 :]  # after the model
OWN, OTHER = "own", "other"  # whose labels
WINNER = "winner"
OPTIONS = "options"  # the node in rows of the winner


class Split(NamedTuple):
    """The numbers of the questions that probes learn from, and of those that they are tested on."""

    train: np.ndarray
    test: np.ndarray


def split(questions: Seq[Question]) -> Split:
    """Questions of even groups to learn from, those of odd groups to test on."""
    group_N = np.array(group_numbers(questions))
    return Split(np.flatnonzero(group_N % 2 == 0), np.flatnonzero(group_N % 2 == 1))


def probes(states_NKD: np.ndarray, questions: Seq[Question], within: Seq[int]) -> pd.DataFrame:
    """How well the labels of graph questions are read from their states (N, K + 1, D), for every number of
    thoughts.

    Returns rows with the columns `LINEAR_COLUMNS`: the area under the ROC curve (0.5 for a probe
    that knows nothing), for every node's name that some questions have and others have not within `within`
    edges of the root, and for the winner; own labels and those of another question.
    """
    halves = split(questions)
    labels = {OWN: [*questions], OTHER: _of_others(questions, halves)}
    rows = [
        {"thoughts": thoughts, "label": label, "labels": whose, "node": node, "questions": n, "auc": auc}
        for thoughts in range(states_NKD.shape[1])
        for whose, labelled in labels.items()
        for label, node, n, auc in _read(states_NKD[:, thoughts], labelled, halves, within)
    ]
    return pd.DataFrame(rows, columns=list(LINEAR_COLUMNS))


def _of_others(questions: Seq[Question], halves: Split) -> list[Question]:
    """For each question one of another group in its half: that half of the half further on."""
    labelled = [*questions]
    for half in halves:
        for number, other in zip(half, np.roll(half, len(half) // 2), strict=True):
            labelled[number] = questions[other]
    return labelled


def _read(
    states_ND: np.ndarray, labelled: Seq[Question], halves: Split, within: Seq[int]
) -> Iterator[tuple[str, str, int, float]]:
    """Label, node, number of questions it is tested on, and area under the curve."""
    for k in within:
        reached = [reachable(question, k) for question in labelled]
        for node in sorted({name for one in reached for name in one}):
            label_N = np.array([one.get(node, np.nan) for one in reached])
            known = Split(*(half[~np.isnan(label_N[half])] for half in halves))
            if all(len({*label_N[half]}) == 2 for half in known):
                scores = _fitted(states_ND[known.train], label_N[known.train], states_ND[known.test])[:, 1]
                auc = roc_auc_score(label_N[known.test], scores)
                yield f"within {k}", node, len(known.test), float(auc)
    right, wrong = zip(*map(option_names, labelled), strict=True)
    names_N = np.array(right)
    if len({*names_N[halves.train]}) > 1:
        names = sorted({*names_N[halves.train]})
        scores = _fitted(states_ND[halves.train], names_N[halves.train], states_ND[halves.test])
        score_of = [dict(zip(names, row, strict=True)) for row in scores]
        margins = [
            score.get(right[number], 0.0) - score.get(wrong[number], 0.0)
            for number, score in zip(halves.test, score_of, strict=True)
        ]
        yield WINNER, OPTIONS, len(halves.test), float(np.mean((np.sign(margins) + 1) / 2))


def _fitted(train_ND: np.ndarray, labels_N: np.ndarray, test_ND: np.ndarray) -> Any:
    """Probabilities (N, classes in order) of a logistic regression on standardized states."""
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return probe.fit(train_ND, labels_N).predict_proba(test_ND)


def reachable(question: Question, k: int) -> dict[str, bool]:
    """For the name of every node but the root, whether it is within k edges of the root."""
    graph = question.graph
    assert graph is not None
    near = nx.single_source_shortest_path_length(graph.digraph, graph.root, cutoff=k)
    return {name: node in near for node, name in enumerate(graph.names) if node != graph.root}
