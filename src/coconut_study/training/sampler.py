"""The training batches of a stage: order of the questions, new names, and layouts.

Each epoch has its own random streams, so that a batch depends only on the seed, the stage and the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.random import Generator
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.common.errors import StudyError
from coconut_study.common.seeds import stream
from coconut_study.engine.forward import check_positions
from coconut_study.engine.tokenizer import marks_of, word_ids
from coconut_study.questions.frontiers import draw_step, frontier
from coconut_study.questions.graphs import Edge, Graph
from coconut_study.questions.question import Question, by_graph, redraw, redrawn, sentence
from coconut_study.sequences.builder import Sequence as TokenSequence
from coconut_study.sequences.builder import Tokens, build, ending_in, symbol_tokens, tokenize
from coconut_study.sequences.methods import Layout
from coconut_study.sequences.templates import TEMPLATES
from coconut_study.training.schedule import smoothed
from coconut_study.training.settings import StageSpec

Drawn = tuple[Tokens, Graph | None]  # a question as it is shown
POOLS = ("persons", "concepts", "names")  # settings of generated questions: the names in use, their order


class Sampler:
    """Draws the batches of one epoch after another; `start_epoch` chooses the epoch."""

    def __init__(
        self, spec: StageSpec, tokenizer: PreTrainedTokenizerBase, questions: Sequence[Question]
    ) -> None:
        self.spec, self.tokenizer, self.questions = spec, tokenizer, questions
        self.template = TEMPLATES[spec.base.text.template]
        self.marks = marks_of(tokenizer)
        self.ids = word_ids(tokenizer) if spec.base.text.template == "symbols" else None
        self.pools = {key: spec.questions[key] for key in POOLS if key in spec.questions}
        together = spec.training.mirrors == "together"
        self.groups = by_graph(questions) if together else [[i] for i in range(len(questions))]
        self.group_of = [number for number, group in enumerate(self.groups) for _ in group]
        if spec.targets == "frontier":
            self._check_graphs("targets: frontier")
        if spec.thought_loss is not None:
            self._check_graphs("thought_loss")
            if self.ids is None:
                raise StudyError("thought_loss needs text.template: symbols, where a step is one token")
        self.tokens = None if spec.training.redraw else self.tokenize(questions)
        self.longest_chain = self._longest_chain()
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Draw the order of the questions, and start the random streams of an epoch."""
        numbers = (self.spec.seed, self.spec.stage, epoch)
        layouts = stream("mixing" if self.spec.mixed else "removal", *numbers)
        self.streams: dict[str, Generator] = {"layouts": layouts, "names": stream("names", *numbers)}
        if self.spec.targets == "frontier":
            self.streams["targets"] = stream("targets", *numbers)
        groups = stream("order", *numbers).permutation(len(self.groups))
        self.order = np.concatenate([self.groups[group] for group in groups])

    def chosen(self, number: int) -> list[int]:
        """Indices of the questions in batch `number` of the epoch."""
        size = self.spec.training.batch_size
        return self.order[number * size : (number + 1) * size].tolist()

    def batch(self, number: int, removed: int) -> list[TokenSequence]:
        """The sequences of batch `number`, where iCoT has removed `removed` units.

        Batches must be drawn in order: each continues the random streams of the epoch.
        """
        return [self._sequence(*drawn, removed) for drawn in self._drawn(self.chosen(number))]

    def tokenize(self, questions: Sequence[Question]) -> list[Tokens]:
        """Token ids of questions."""
        shared = self.spec.base.text.facts_share_position
        return tokenize(questions, self.template, self.tokenizer, shared=shared)

    def state(self) -> dict[str, Any]:
        """State of the random streams, as JSON values."""
        return {name: rng.bit_generator.state for name, rng in self.streams.items()}

    def load_state(self, epoch: int, state: Mapping[str, Any]) -> None:
        """Continue an epoch from a state."""
        self.start_epoch(epoch)
        for name, rng in self.streams.items():
            rng.bit_generator.state = state[name]

    def check_lengths(self, model: PreTrainedModel, validation: Sequence[Tokens]) -> None:
        """StudyError if a question with its thoughts and steps exceeds the positions of the model.

        Redrawn training questions are not checked: their lengths are not known in advance.
        """
        layouts = [self.spec.layout, *self.spec.mixed]
        if self.spec.extra is not None:
            layouts += [self.spec.extra.longest(layout) for layout in layouts]
        if self.spec.removal is not None:
            layouts.append(self.spec.layout.without(0, "token"))
        tokens = [*(self.tokens or []), *validation]
        check_positions(
            model,
            max(build(one, layout, self.marks).positions[-1] for one in tokens for layout in layouts) + 1,
            f"stage {self.spec.stage}: the longest question",
            "use a model with more positions, smaller questions, or fewer thoughts per step",
        )

    def _sequence(self, tokens: Tokens, graph: Graph | None, removed: int) -> TokenSequence:
        """The sequence of a question in the layout that is drawn for it, with its target."""
        layout = self._layout(tokens, removed)
        supervised = self._supervised(tokens, graph, layout.thoughts)
        hidden = len(tokens.steps) if layout.hidden is None else layout.hidden
        if self.spec.targets == "frontier" and graph is not None and hidden < len(tokens.steps):
            step = self._step(graph, draw_step(graph, hidden + 1, self.streams["targets"]))
            tokens = ending_in(tokens, hidden, step, self.marks.eos)
        sequence = build(tokens, layout, self.marks)
        return replace(sequence, supervised=supervised) if supervised else sequence

    def _supervised(
        self, tokens: Tokens, graph: Graph | None, n_thoughts: int
    ) -> tuple[tuple[int, ...], ...]:
        """The tokens that each thought in place of a step has to predict; none without a loss on thoughts."""
        loss, steps = self.spec.thought_loss, tokens.steps[:n_thoughts]
        if loss is None or graph is None or self.ids is None:
            return ()
        if loss.target == "step":
            return tuple(map(tuple, steps))
        nodes = [frontier(graph, depth) for depth in range(1, len(steps) + 1)]
        return tuple(tuple(self.ids[graph.names[node]] for node in depth) for depth in nodes)

    def _step(self, graph: Graph, edge: Edge) -> list[int]:
        """Token ids of a step."""
        if self.ids is not None:
            return [self.ids[graph.names[edge[1]]]]
        text = self.template.text(Question("", (sentence(graph, edge),), ""))
        ids: list[int] = self.tokenizer(text.steps[0], add_special_tokens=False)["input_ids"]
        return ids

    def _check_graphs(self, key: str) -> None:
        if any(question.graph is None for question in self.questions):
            raise StudyError(f"{key} needs training questions with graphs, whose frontiers are known")

    def _drawn(self, chosen: Sequence[int]) -> list[Drawn]:
        """Questions as they are shown, with new names if they are redrawn."""
        if self.tokens:
            return [(self.tokens[i], self.questions[i].graph) for i in chosen]
        return self._redrawn(chosen)

    def _redrawn(self, chosen: Sequence[int]) -> list[Drawn]:
        """Questions with new names; mirror questions in succession get the same names."""
        rng, mirrors = self.streams["names"], groupby(chosen, self.group_of.__getitem__)
        groups = [[self.questions[i] for i in group] for _, group in mirrors]
        if self.ids is None:
            questions = [one for group in groups for one in redraw(group, rng, **self.pools)]
            graphs = [question.graph for question in questions]
            return list(zip(self.tokenize(questions), graphs, strict=True))
        shared, eos = self.spec.base.text.facts_share_position, self.marks.eos
        return [
            (symbol_tokens(graph, wording, self.ids, eos, shared=shared), graph)
            for group in groups
            for graph, wording in redrawn([one.graph for one in group if one.graph], rng, **self.pools)
        ]

    def _layout(self, tokens: Tokens, removed: int) -> Layout:
        """The layout for a question, with a number of thoughts of its own if they are drawn."""
        layout = self._stage_layout(tokens, removed)
        extra = self.spec.extra
        return extra.layout(layout, len(tokens.steps), self.streams["layouts"]) if extra else layout

    def _stage_layout(self, tokens: Tokens, removed: int) -> Layout:
        """The layout of the stage, sometimes of another stage, or one with a part of the chain removed."""
        spec, rng = self.spec, self.streams["layouts"]
        if spec.removal is not None and removed < self.longest_chain:
            return spec.layout.without(smoothed(spec.removal, removed, rng), spec.removal.unit)
        if spec.mixed and rng.random() < spec.training.mixing.probability:
            others = spec.mixed[: len(tokens.steps) + 1]
            return others[self._drawn_stage(len(others))]
        return spec.layout

    def _drawn_stage(self, n: int) -> int:
        """One of the first `n` stages: equally likely, or stage i in proportion to i + 1."""
        rng = self.streams["layouts"]
        if self.spec.training.mixing.weight == "equal":
            return int(rng.integers(n))
        return int(rng.choice(n, p=np.arange(1, n + 1) / (n * (n + 1) / 2)))

    def _longest_chain(self) -> int:
        """Length of the longest chain of steps, in the unit that iCoT removes; 0 for other methods."""
        if self.spec.removal is None:
            return 0
        tokens = self.tokens or self.tokenize(self.questions)
        if self.spec.removal.unit == "step":
            return max(len(one.steps) for one in tokens)
        return max(sum(map(len, one.steps)) for one in tokens)
