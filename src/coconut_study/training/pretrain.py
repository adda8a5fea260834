"""Pretraining of a small base model: reading facts, and nothing about choosing between options.

The paper starts every run from GPT-2, which can look up a fact in its context. A new small model cannot,
and whether it learns to in time decides a run. So one base model is taught it, once for all methods and
seeds, on walks that go nowhere in particular:

    a b c d ... | u v w x | u' v' w' ...
                    ^ ^ ^      ^  ^       loss on the walked nodes alone
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.common.progress import bar
from coconut_study.common.seeds import stream
from coconut_study.engine.batches import Batch, collate
from coconut_study.engine.tokenizer import marks_of
from coconut_study.questions.graphs import name
from coconut_study.questions.question import Question
from coconut_study.sequences.builder import Sequence as TokenSequence
from coconut_study.sequences.methods import TextSettings
from coconut_study.sequences.templates import TEMPLATES
from coconut_study.training.learner import Learner
from coconut_study.training.schedule import rate
from coconut_study.training.settings import Pretraining


@dataclass(frozen=True, slots=True)
class Report:
    """Mean cross-entropy of a walked step since the last report, and that of a perfect reader of facts,
    who knows the children of every node but not which of them a walk takes (nats)."""

    step: int
    loss: float
    floor: float


class Pretrainer:
    """Teaches a new model to read facts, on the graphs of training questions under ever new names."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        questions: Sequence[Question],
        settings: Pretraining,
        text: TextSettings,
        seed: int,
    ) -> None:
        self.learner = Learner(model, settings)
        self.tokenizer, self.settings, self.text, self.seed = tokenizer, settings, text, seed
        self.template = TEMPLATES[text.template]
        self.graphs = [question.graph for question in questions if question.graph is not None]
        self.pad = marks_of(tokenizer).pad
        self.rng = stream("pretraining", seed)

    def run(self, reports: int = 10) -> list[Report]:
        """All updates, reported on `reports` times."""
        steps = self.settings.steps
        every = -(-steps // reports)
        return [self._some(start, min(start + every, steps)) for start in range(0, steps, every)]

    def _some(self, start: int, stop: int) -> Report:
        loss, floor, n_steps = torch.zeros((), device=self.learner.accelerator.device), 0.0, 0
        with self.learner.training(self.seed, start):
            for step in bar(range(start, stop), f"base model, from update {start} of {self.settings.steps}"):
                pages = [self._page() for _ in range(self.settings.batch_size)]
                loss = loss + self.learner.update([self._batch(pages)], self._rate(step))[0]
                floor += sum(page.floor for page in pages)
                n_steps += sum(page.n_steps for page in pages)
        return Report(stop, loss.item() / n_steps, floor / n_steps)

    def _rate(self, step: int) -> float:
        settings = self.settings
        return rate(step, settings.steps, settings, settings.warmup, settings.decay)

    def _page(self) -> Page:
        """The facts of a graph under new names and in a new order, and walks on it."""
        graph = self.graphs[int(self.rng.integers(len(self.graphs)))]
        n_persons = len(graph.persons)
        (named,) = name((graph,), self.rng, n_persons, len(graph.names) - n_persons)
        edges = [named.edges[i] for i in self.rng.permutation(len(named.edges))]
        children: dict[int, list[int]] = {}
        for head, tail in edges:
            children.setdefault(head, []).append(tail)
        walks = [walk(children, self.settings.length, self.rng) for _ in range(self.settings.walks)]
        return Page(
            facts=self.template.facts(named, edges),
            n_facts=len(edges),
            walks=[self.template.walk(named, path) for path, _ in walks],
            n_steps=sum(len(path) - 1 for path, _ in walks),
            floor=sum(entropy for _, entropy in walks),
        )

    def _batch(self, pages: Sequence[Page]) -> Batch:
        """One row a page, with loss on what is walked."""
        texts = [text for page in pages for text in (page.facts, *chain.from_iterable(page.walks))]
        ids = iter(self.tokenizer(texts, add_special_tokens=False)["input_ids"])
        rows, counted = [], []
        for page in pages:
            facts, behind = next(ids), []
            for _ in page.walks:
                given, walked = next(ids), next(ids)
                behind += given + walked
                counted += [False] * len(given) + [True] * len(walked)
            n = len(facts) + len(behind)
            positions = self.template.positions(page.n_facts, n, self.text.facts_share_position)
            rows.append(TokenSequence(facts, 0, behind, positions, len(behind)))
        return collate(rows, self.pad).only(torch.tensor(counted))


@dataclass(frozen=True, slots=True)
class Page:
    """A training text: facts, then walks (how each starts, where it goes).

    `n_steps` are walked, and the entropy of the walks' choices is `floor` nats.
    """

    facts: str
    n_facts: int
    walks: list[tuple[str, str]]
    n_steps: int
    floor: float


def walk(
    children: Mapping[int, Sequence[int]], length: int, rng: np.random.Generator
) -> tuple[list[int], float]:
    """A path of up to `length` steps from a random node with children, and the entropy of its choices."""
    starts = list(children)
    path, entropy = [starts[int(rng.integers(len(starts)))]], 0.0
    while len(path) <= length and path[-1] in children:
        tails = children[path[-1]]
        path.append(tails[int(rng.integers(len(tails)))])
        entropy += math.log(len(tails))
    return path, entropy
