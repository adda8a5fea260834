"""The pieces of work that are timed, on random sequences of given lengths.

Dimensions: B rows, T columns, k thoughts.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from bench import plain
from coconut_study.engine import forward
from coconut_study.engine.batches import Batch, collate
from coconut_study.engine.decoding import generate
from coconut_study.engine.gpt2 import faster
from coconut_study.sequences.builder import Marks, Sequence
from coconut_study.training.learner import Learner
from coconut_study.training.saver import Saver
from coconut_study.training.settings import Optimization

Work = Callable[[], Any]

ARCHITECTURES: dict[str, dict[str, Any]] = {
    "tiny": {"n_layer": 2, "n_head": 2, "n_embd": 32, "n_positions": 256, "vocab_size": 128},
    "quick": {"n_layer": 2, "n_head": 4, "n_embd": 64, "n_inner": 128, "n_positions": 512, "vocab_size": 64},
    "gpt2": {"n_layer": 12, "n_head": 12, "n_embd": 768, "n_positions": 1024, "vocab_size": 50261},
}


QUERY = 12  # tokens of "Is Tom a rompus or gorpus?" after the facts
ANSWER, STEP, MAX_STEPS = (
    10,
    11,
    6,
)  # tokens of an answer with marks and of a step; steps of the longest chain
RATE = 1e-4

Precision = Literal["float32", "tf32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Size:
    """What is measured: a model, the rows of a batch, and the tokens before, in and after the thoughts."""

    model: str
    batch: int
    question: int
    thoughts: int
    suffix: int

    def __str__(self) -> str:
        return f"{self.model}, batch {self.batch}, {self.question} + {self.thoughts} + {self.suffix} tokens"


def new_model(size: Size, device: torch.device, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """A model with random weights and without dropout."""
    torch.manual_seed(0)
    no_dropout = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    config = AutoConfig.for_model(
        "gpt2", bos_token_id=0, eos_token_id=0, **ARCHITECTURES[size.model], **no_dropout
    )
    return AutoModelForCausalLM.from_config(config).to(device, dtype)


def sequences(size: Size, *, mirrors: bool = False) -> list[Sequence]:
    """Pairs of rows with questions within 10 % of `size.question` tokens, and loss after the thoughts.

    The two rows of a pair have the same length. With `mirrors` they also begin with the same facts, which are
    all but the last `QUERY` tokens of a question.
    """
    rng = np.random.default_rng(0)
    vocabulary = ARCHITECTURES[size.model]["vocab_size"]
    shortest, longest = int(0.9 * size.question), int(1.1 * size.question)
    rows: list[Sequence] = []
    for row in range(size.batch):
        first = row % 2 == 0
        n = int(rng.integers(shortest, longest + 1)) if first else len(rows[-1].before)
        ids = rng.integers(4, vocabulary, n + size.suffix).tolist()
        if mirrors and not first:
            facts = max(n - QUERY, 0)
            ids[:facts] = rows[-1].before[:facts]
        positions = list(range(n + size.thoughts + size.suffix))
        rows.append(Sequence(ids[:n], size.thoughts, ids[n:], positions, size.suffix - 1))
    return rows


def marks() -> Marks:
    """Marks of the random vocabulary; no token is <eos>, so all responses have the same length."""
    return Marks(bot=0, eot=1, thought=2, pause=3, eos=-1, pad=0)


def without_thoughts(size: Size) -> list[Sequence]:
    """The same sequences with ordinary tokens in place of thoughts."""
    return [
        Sequence(row.before + [4] * row.thoughts, 0, row.after, row.positions, row.n_loss)
        for row in sequences(size)
    ]


# ------------------------------------------------------------------------------------------- training


def training_step(
    model: PreTrainedModel, batch: Batch, loss: Callable[[PreTrainedModel, Batch], torch.Tensor]
) -> Work:
    """Loss and gradients of a batch."""

    def step() -> None:
        model.zero_grad(set_to_none=True)
        (loss(model, batch) / len(batch.target_N)).backward()

    return step


def training(model: PreTrainedModel, size: Size, device: torch.device) -> dict[str, Work]:
    """Training steps: plain, ours, ours on mirror questions, and an ordinary one over as many tokens."""
    ours = faster(deepcopy(model))
    batch = collate(sequences(size), 0).to(device)
    mirrors = collate(sequences(size, mirrors=True), 0).to(device)
    floor = collate(without_thoughts(size), 0).to(device)
    return {
        "plain": training_step(model, batch, plain.loss_sum),
        "ours": training_step(ours, batch, forward.loss_sum),
        "mirrors": training_step(ours, mirrors, forward.loss_sum),
        "ordinary": training_step(ours, floor, forward.loss_sum),
    }


def one_token(model: PreTrainedModel, size: Size) -> Work:
    """A forward pass of one token per row after a question that is in the cache."""
    reader = forward.Reader(model)
    batch = collate(sequences(replace(size, thoughts=1)), 0).to(model.device)
    start, stop = batch.first_thought, batch.first_thought + 1
    embeds_BTD = reader.embed(batch.tokens_BT[:, :stop])

    @torch.no_grad()
    def read(start: int, stop: int) -> None:
        mask, positions = batch.mask_BT[:, :stop], batch.positions_BT[:, start:stop]
        reader.read(embeds_BTD[:, start:stop], mask, positions)

    def again() -> None:
        read(start, stop)
        reader.cache.crop(-1)

    read(0, start)
    return again


# ------------------------------------------------------------------------------------------- decoding


def decoding(model: PreTrainedModel, size: Size, written: int, plain_limit: int) -> dict[str, Work]:
    """Responses of `written` tokens to questions about different graphs and to mirror questions.

    The plain implementation answers the first `plain_limit` questions.
    """
    ours = faster(deepcopy(model))
    prompts = [row.prompt for row in sequences(size)]
    mirrors = [row.prompt for row in sequences(size, mirrors=True)]
    return {
        "plain": lambda: plain.respond(model, prompts[:plain_limit], written, -1),
        "ours": lambda: generate(ours, prompts, [size.thoughts], written, marks()),
        "mirrors": lambda: generate(ours, mirrors, [size.thoughts], written, marks()),
        "sweep": lambda: generate(ours, prompts, range(size.thoughts + 1), written, marks()),
    }


# --------------------------------------------------------------------------------------------- recipe


def recipe(size: Size, epochs: list[float]) -> list[Size]:
    """A batch of ProsQA in each stage, padded to a chain of `MAX_STEPS` steps."""
    suffixes = [ANSWER + STEP * max(MAX_STEPS - stage, 0) for stage in range(len(epochs))]
    return [replace(size, thoughts=stage, suffix=suffix) for stage, suffix in enumerate(suffixes)]


def update(learner: Learner, size: Size) -> Work:
    """An update: loss, gradients and AdamW."""
    batches = [collate(sequences(size), 0)]
    return lambda: learner.update(batches, RATE)


def new_learner(model: PreTrainedModel, precision: Precision) -> Learner:
    """A learner with AdamW as in the paper."""
    adam = Optimization(
        learning_rate=RATE,
        weight_decay=0.01,
        betas=(0.9, 0.999),
        clip=None,
        precision="bf16" if precision == "bfloat16" else "tf32" if precision == "tf32" else "no",
    )
    return Learner(faster(model), adam)


# --------------------------------------------------------------------------------------------- saving


def saving(learner: Learner, size: Size, folder: Path) -> Work:
    """Saving the state of a stage, best weights included, in a folder."""
    update(learner, replace(size, batch=1))()
    best = {f"best.{name}": value for name, value in learner.weights().items()}
    saver = Saver(folder, minutes=0)
    return lambda: saver.save({**learner.state(), **best}, {})
