"""Disk that the checkpoints of a study need, before anything is trained.

Models are built without weights, from their configuration. Left out is what is small beside weights:
tokenizers, cards, and the embeddings of words that a tokenizer will learn from questions not yet drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
from pydantic import NonNegativeInt
from transformers import AutoConfig, AutoModelForCausalLM

from coconut_study.common.settings import Closed
from coconut_study.engine.tokenizer import MARKS
from coconut_study.training import preflight
from coconut_study.training.saver import GENERATIONS
from coconut_study.training.settings import Model

GB = 1e9


class Kept(Closed):
    """The checkpoints of a study that are of one model: of base models, and of stages if `machine.keep` is
    `all`, and if it is `last`. Stages have two numbers: all, and those with the state of the optimizer."""

    model: Model
    bases: NonNegativeInt
    all: tuple[NonNegativeInt, NonNegativeInt]
    last: tuple[NonNegativeInt, NonNegativeInt]


class Sizes(NamedTuple):
    """Bytes of the weights of a model, and of those that are learned (with LoRA, the adapters)."""

    whole: int
    learned: int

    @property
    def states(self) -> int:
        """The most bytes of the states of a stage in training.

        A state holds the learned weights, two moments of each, and the best weights. While one is replaced,
        there is one more than is kept.
        """
        return 4 * (GENERATIONS + 1) * self.learned

    def checkpoints(self, bases: int, stages: int, optimizers: int) -> int:
        """The bytes of so many checkpoints; the state of an optimizer is two moments."""
        return bases * self.whole + (stages + 2 * optimizers) * self.learned


def sizes(settings: Model) -> Sizes:
    """The sizes of a model, whose configuration must be available."""
    architecture = dict(settings.architecture or {})
    if settings.path is None:
        if settings.tokenizer == "words":
            architecture |= {"vocab_size": len(MARKS), "bos_token_id": 0, "eos_token_id": 0}
        config = AutoConfig.for_model(architecture.pop("model_type"), **architecture)
    else:
        config = AutoConfig.from_pretrained(settings.path)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, settings.dtype))
    whole = sum(p.numel() * p.element_size() for p in model.parameters())
    if settings.lora is not None:
        from coconut_study.training.lora import add_adapters

        add_adapters(model, settings.lora, marks=range(len(MARKS)))
    learned = sum(p.numel() * p.element_size() for p in model.parameters() if p.requires_grad)
    return Sizes(whole, learned)


def lines(kept: Iterable[Kept]) -> Iterator[str]:
    """What a study keeps of each model by the value of `machine.keep`, and what a stage needs to train."""
    for one in kept:
        yield f"Disk: {one.model.path or 'a new ' + str((one.model.architecture or {})['model_type'])}"
        problems = preflight.mistakes([one.model.model_copy(update={"tokenizer": "words"})])
        size = None if problems else sizes(one.model)
        for keep, counts in (("all", one.all), ("last", one.last)):
            needed = f", about {_bytes(size.checkpoints(one.bases, *counts))}" if size else ""
            yield f"  machine.keep: {keep}: {one.bases + counts[0]} checkpoints{needed}"
        if size:
            yield f"  while a stage trains, its states, besides: up to {_bytes(size.states)}"
        yield from (f"  size not known: {problem}" for problem in problems)


def _bytes(n_bytes: int) -> str:
    return f"{n_bytes / GB:.1f} GB" if n_bytes >= GB else f"{1000 * n_bytes / GB:.1f} MB"
