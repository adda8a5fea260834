"""When thoughts end: after a fixed number, or when a classifier says so (paper section 3).

The paper names two ways to return to words: a constant number of thoughts, or a binary classifier that looks
at each thought; it reports no numbers for the second. Here the classifier learns, from the run's own thoughts
on training questions, whether the answer after a thought would be right. Thinking stops at the first thought
whose probability reaches a threshold, which is chosen on validation questions: most right answers, then
fewest thoughts. A response after j thoughts does not depend on later ones, so stopping selects a response.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.common.progress import bar
from coconut_study.engine import decoding as engine
from coconut_study.engine.tokenizer import marks_of
from coconut_study.evaluation.respond import respond
from coconut_study.evaluation.settings import Responding
from coconut_study.questions.question import Question
from coconut_study.sequences.builder import Tokens, build
from coconut_study.sequences.methods import Layout
from coconut_study.sequences.templates import Template, is_right

THRESHOLDS = np.linspace(0, 1, 101)
NEVER = np.inf  # the threshold that is never reached: all thoughts are used


@dataclass(frozen=True, slots=True)
class Chains:
    """Chains of K thoughts for N questions.

    states: (N, K + 1, D), the last hidden state after 0 to K thoughts.
    right: (N, K + 1), whether the response after as many thoughts is right.
    """

    states: np.ndarray
    right: np.ndarray


def chains(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[Question],
    tokens: Sequence[Tokens],
    layouts: Sequence[Layout],
    template: Template,
    settings: Responding,
) -> Chains:
    """The thoughts on each question, and whether it is answered right in each of the layouts (k = 0 to K)."""
    marks = marks_of(tokenizer)
    responses, _ = respond(model, tokenizer, tokens, layouts, settings)
    right = np.zeros((len(questions), len(layouts)), dtype=bool)
    for response in responses:
        right[response.question, response.k] = is_right(questions[response.question], response.text, template)
    states = []
    starts = range(0, len(tokens), settings.batch_size)
    for start in bar(starts, "thoughts"):
        prompts = [
            build(one, layouts[-1], marks).prompt for one in tokens[start : start + settings.batch_size]
        ]
        states.append(
            engine.thought_states(model, prompts, layouts[-1].thoughts, marks).float().cpu().numpy()
        )
    return Chains(np.concatenate(states), right)


class Classifier:
    """Logistic regression on a hidden state: the probability that the answer given there is right."""

    def __init__(self, train: Chains) -> None:
        states = train.states.reshape(-1, train.states.shape[-1])
        right = train.right.reshape(-1)
        self.constant = float(right[0]) if right.all() or not right.any() else None
        self.pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        if self.constant is None:
            self.pipeline.fit(states, right)

    def probabilities(self, states: np.ndarray) -> np.ndarray:
        """Probabilities (N, K + 1) for states (N, K + 1, D)."""
        if self.constant is not None:
            return np.full(states.shape[:-1], self.constant)
        flat = self.pipeline.predict_proba(states.reshape(-1, states.shape[-1]))[:, 1]
        return flat.reshape(states.shape[:-1])


def stops(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """Number of thoughts (N,) used for each question: up to the first that reaches the threshold, else all.

    `probabilities` is (N, K + 1), for 0 to K thoughts.
    """
    reached = probabilities >= threshold
    last = probabilities.shape[1] - 1
    return np.where(reached.any(axis=1), reached.argmax(axis=1), last)


def threshold(probabilities: np.ndarray, right: np.ndarray) -> float:
    """The threshold with the most right answers; of equally good ones, that with the fewest thoughts.

    Both arrays are (N, K + 1).
    """

    def quality(value: float) -> tuple[float, float]:
        k = stops(probabilities, value)
        return right[np.arange(len(k)), k].mean(), -k.mean()

    return float(max([*THRESHOLDS, NEVER], key=quality))


def rows(train: Chains, valid: Chains, test: Chains, groups: Sequence[int]) -> list[dict[str, Any]]:
    """One row per test question: k and whether it is right, with the fixed number and with the classifier.

    The classifier is trained on `train`, its threshold is chosen on `valid`. `groups` has the number of every
    test question's group.
    """
    classifier = Classifier(train)
    chosen = threshold(classifier.probabilities(valid.states), valid.right)
    fixed = test.right.shape[1] - 1
    stopped = stops(classifier.probabilities(test.states), chosen)
    return [
        {
            "question": question,
            "group": groups[question],
            "fixed k": fixed,
            "fixed right": bool(right[fixed]),
            "classifier k": int(k),
            "classifier right": bool(right[k]),
            "threshold": chosen,
        }
        for question, (right, k) in enumerate(zip(test.right, stopped, strict=True))
    ]
