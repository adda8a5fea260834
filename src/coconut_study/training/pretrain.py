"""Pretraining of a small base model: it learns to read facts, but nothing about choosing between options.

The paper starts every run from GPT-2, which can look up a fact in its context. A new small model cannot, and
a run depends on whether it learns this in time. So one base model is taught it, once for all methods and
seeds, on random walks:

    a b c d ... | u v w x | u' v' w' ...
                    ^ ^ ^      ^  ^       loss on the walked nodes alone

Any name of the questions may stand for any node. On large graphs a small model learns this only if it first
sees few facts and few names (`Growth`); a page then shows a part of its graph.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.common.errors import explained
from coconut_study.common.progress import bar
from coconut_study.common.seeds import stream
from coconut_study.engine.batches import Batch, collate
from coconut_study.engine.forward import check_positions
from coconut_study.engine.tokenizer import marks_of, word_ids
from coconut_study.questions.graphs import CONCEPTS, PERSONS, Edge, Graph, rename
from coconut_study.questions.question import Question
from coconut_study.sequences.builder import Sequence as TokenSequence
from coconut_study.sequences.methods import TextSettings
from coconut_study.sequences.templates import TEMPLATES, WORD
from coconut_study.training.learner import Learner
from coconut_study.training.schedule import learning_rate
from coconut_study.training.settings import Growth, Pretraining


@dataclass(frozen=True, slots=True)
class Report:
    """Mean cross-entropy (nats) of a step of a walk since the last report, and its `floor`: that of a perfect
    reader of facts, who knows the children of every node but not which of them the walk takes."""

    step: int
    loss: float
    floor: float


class Pretrainer:
    """Teaches a new model to read facts, on the graphs of training questions with new names each time."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        questions: Sequence[Question],
        settings: Pretraining,
        text: TextSettings,
        seed: int,
        names: Iterable[str] = (),
    ) -> None:
        self.learner = Learner(model, settings)
        self.tokenizer, self.settings, self.text, self.seed = tokenizer, settings, text, seed
        self.template = TEMPLATES[text.template]
        self.graphs = [question.graph for question in questions if question.graph is not None]
        self.persons, self.concepts = names_in_use(self.graphs, names)
        self.pad, self.ids = marks_of(tokenizer).pad, word_ids(tokenizer)
        self.rng = stream("pretraining", seed)

    def run(self, reports: int = 10) -> list[Report]:
        """Make all updates; return `reports` reports."""
        steps = self.settings.steps
        every = -(-steps // reports)
        return [self._part(start, min(start + every, steps)) for start in range(0, steps, every)]

    def _part(self, start: int, stop: int) -> Report:
        """Make the updates from `start` to `stop`."""
        loss, floor, n_steps = torch.zeros((), device=self.learner.accelerator.device), 0.0, 0
        with self.learner.training(self.seed, start):
            for step in bar(range(start, stop), f"base model, from update {start} of {self.settings.steps}"):
                pages = [self.draw_page(step) for _ in range(self.settings.batch_size)]
                loss = loss + self.learner.update([self.batch(pages)], self._rate(step))[0]
                floor += sum(page.floor for page in pages)
                n_steps += sum(page.n_steps for page in pages)
        return Report(stop, loss.item() / n_steps, floor / n_steps)

    def _rate(self, step: int) -> float:
        settings = self.settings
        return learning_rate(step, settings.steps, settings, settings.warmup, settings.decay)

    def draw_page(self, step: int) -> Page:
        """Facts of a random graph, with new names and in a new order, and walks on it, for update `step`.

        With `growth`, they are the facts of a part of the graph (see `part`), and the names in use are the
        same share of all names, but at least those that the part needs.
        """
        graph = self.graphs[int(self.rng.integers(len(self.graphs)))]
        n_all = len(graph.edges)
        n_facts = facts_shown(self.settings.growth, step, n_all)
        if n_facts < n_all:
            graph = part(graph, n_facts, self.rng.permutation(n_all))
        n_persons, share = len(graph.persons), n_facts / n_all
        (named,) = rename(
            (graph,),
            self.rng,
            max(n_persons, round(share * self.persons)),
            max(len(graph.names) - n_persons, round(share * self.concepts)),
        )
        edges = [named.edges[i] for i in self.rng.permutation(len(named.edges))]
        places = range(n_all) if n_facts == n_all else self.rng.choice(n_all, n_facts, replace=False)
        children: dict[int, list[int]] = {}
        for head, tail in edges:
            children.setdefault(head, []).append(tail)
        walks = [walk(children, self.settings.length, self.rng) for _ in range(self.settings.walks)]
        return Page(
            facts=self.template.facts(named, edges),
            places=sorted(map(int, places)),
            n_places=n_all,
            walks=[self.template.walk(named, path) for path, _ in walks],
            n_steps=sum(len(path) - 1 for path, _ in walks),
            floor=sum(entropy for _, entropy in walks),
        )

    def batch(self, pages: Sequence[Page]) -> Batch:
        """One row per page, with loss on the walked nodes.

        StudyError if a page exceeds the positions of the model.
        """
        texts = [text for page in pages for text in (page.facts, *chain.from_iterable(page.walks))]
        ids = iter(self._tokenize(texts))
        rows, counted = [], []
        for page in pages:
            facts, after = next(ids), []
            for _ in page.walks:
                given, walked = next(ids), next(ids)
                after += given + walked
                counted += [False] * len(given) + [True] * len(walked)
            n = len(facts) + len(after)
            positions = self.template.positions(len(page.places), n, self.text.facts_share_position)
            if self.text.facts_share_position:
                positions = spread(positions, page.places, page.n_places)
            rows.append(TokenSequence(facts, 0, after, positions, len(after)))
        check_positions(
            self.learner.model,
            max(row.positions[-1] for row in rows) + 1,
            "model.pretraining: the longest text",
            "use a model with more positions, or fewer or shorter walks",
        )
        return collate(rows, self.pad).only(torch.tensor(counted))

    def _tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of texts."""
        if self.ids is not None:
            return [[self.ids[word] for word in WORD.findall(text)] for text in texts]
        with explained(f"{self.tokenizer.name_or_path}: the tokenizer fails on the facts"):
            return self.tokenizer(texts, add_special_tokens=False)["input_ids"]


@dataclass(frozen=True, slots=True)
class Page:
    """A training text: facts, then walks, each as its start and the rest.

    The facts have the `places`, in ascending order, among the `n_places` of all facts of the graph. The walks
    have `n_steps` steps in all; the entropy of their choices is `floor` nats.
    """

    facts: str
    places: list[int]
    n_places: int
    walks: list[tuple[str, str]]
    n_steps: int
    floor: float


def names_in_use(graphs: Iterable[Graph], others: Iterable[str] = ()) -> tuple[int, int]:
    """The smallest numbers of persons and of concepts, from the beginning of their lists, that have the names
    of all `graphs` and `others`; the whole lists if one has names of its own."""
    names = {*others, *(name for graph in graphs for name in graph.names)}
    if not names <= {*PERSONS, *CONCEPTS}:
        return len(PERSONS), len(CONCEPTS)
    persons, concepts = (
        max((place for place, name in enumerate(known, start=1) if name in names), default=0)
        for known in (PERSONS, CONCEPTS)
    )
    return persons, concepts


def facts_shown(growth: Growth | None, step: int, n_all: int) -> int:
    """Facts of a page at update `step`, for a graph with `n_all` facts."""
    if growth is None:
        return n_all
    share = min(step / growth.until, 1) ** 2
    return round(share * n_all + (1 - share) * min(growth.facts, n_all))


def part(graph: Graph, n_facts: int, order: Iterable[int]) -> Graph:
    """A part of a graph with `n_facts` of its edges and the nodes of these; it has no question of its own.

    It has the edges that are found by following facts from a person, and then from another person when there
    are no more. `order` says which of the edges that can be followed comes first. So a node without parents
    in the part is a person of the graph.
    """
    persons, rest = {*graph.persons}, [graph.edges[i] for i in order]
    reached: set[int] = set()
    taken: list[Edge] = []
    while len(taken) < n_facts:
        follows = [edge for edge in rest if edge[0] in reached]
        edge = follows[0] if follows else next(edge for edge in rest if edge[0] in persons)
        rest.remove(edge)
        taken.append(edge)
        reached.update(edge)
    number = {node: i for i, node in enumerate(sorted(reached))}
    edges = tuple((number[head], number[tail]) for head, tail in taken)
    names = tuple(graph.names[node] for node in number)
    return replace(graph, names=names, edges=edges, root=0, target=0, neg_target=0)


def spread(positions: Sequence[int], places: Sequence[int], n_places: int) -> list[int]:
    """Position ids of a page with its facts at `places` among `n_places`; `positions` have them at the first.

    So all positions of facts are learned from the start, and those of the walks stay the same.
    """
    moved = n_places - len(places)
    return [places[at] if at < len(places) else at + moved for at in positions]


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
