"""When thoughts end: a classifier on them, beside a fixed number (paper section 3; it shows no numbers).

The paper names two ways to go back to words: a constant number of thoughts, or a binary classifier that
looks at each thought. Here the classifier learns, from the run's own thoughts on training questions, whether
the answer after a thought would be right; it stops at the first thought whose probability reaches a
threshold, and the threshold is the one that answers most validation questions right with fewest thoughts.
A response after j thoughts does not depend on later ones, so stopping is choosing among responses.
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
NEVER = np.inf  # the threshold of thinking on to the fixed number


@dataclass(frozen=True, slots=True)
class Chains:
    """Thoughts of N questions and what came of them: states (N, K + 1, D) after 0 to K thoughts, and whether
    the response given there is right (N, K + 1)."""

    states: np.ndarray
    right: np.ndarray


def chains(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    asked: tuple[Sequence[Question], Sequence[Tokens]],
    layouts: Sequence[Layout],
    template: Template,
    settings: Responding,
) -> Chains:
    """The thoughts of questions, and whether they are answered right in each of the layouts (k = 0 to K)."""
    questions, tokens = asked
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
        states.append(engine.thoughts(model, prompts, layouts[-1].thoughts, marks).float().cpu().numpy())
    return Chains(np.concatenate(states), right)


class Classifier:
    """Logistic regression on a thought: how probably the answer after it is right."""

    def __init__(self, learnt_from: Chains) -> None:
        states = learnt_from.states.reshape(-1, learnt_from.states.shape[-1])
        right = learnt_from.right.reshape(-1)
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
    """Thoughts (N) after which each question stops: the first to reach the threshold, or else all."""
    reached = probabilities >= threshold
    last = probabilities.shape[1] - 1
    return np.where(reached.any(axis=1), reached.argmax(axis=1), last)


def threshold(probabilities: np.ndarray, right: np.ndarray) -> float:
    """The threshold that answers most questions right, and of equal ones that with fewest thoughts."""

    def worth(value: float) -> tuple[float, float]:
        k = stops(probabilities, value)
        return right[np.arange(len(k)), k].mean(), -k.mean()

    return float(max([*THRESHOLDS, NEVER], key=worth))


def rows(learnt: Chains, tuned: Chains, tested: Chains) -> list[dict[str, Any]]:
    """One row a test question: k and whether it is right, with the fixed number and with the classifier."""
    classifier = Classifier(learnt)
    chosen = threshold(classifier.probabilities(tuned.states), tuned.right)
    fixed = tested.right.shape[1] - 1
    stopped = stops(classifier.probabilities(tested.states), chosen)
    return [
        {
            "question": question,
            "fixed k": fixed,
            "fixed right": bool(right[fixed]),
            "classifier k": int(k),
            "classifier right": bool(right[k]),
            "threshold": chosen,
        }
        for question, (right, k) in enumerate(zip(tested.right, stopped, strict=True))
    ]
