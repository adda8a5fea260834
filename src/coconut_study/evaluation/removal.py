"""Readable is not used: what a run answers when a readable direction is removed from one of its thoughts.

The direction of a node in thought j is the mean of the thoughts j of questions whose path to the right option
has it j edges from the root, minus the mean of the others. It is learned on the questions of every other
group and removed in the rest: the thought is projected onto what is orthogonal to it, and has its norm
back. If the answer rests on what the direction says, it suffers more than from two others: removing the
direction of a node at the same distance that is on no such path, and moving the thought as far in a random
direction.

Dimensions: B rows, N questions, K thoughts, D hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.common.progress import bar
from coconut_study.common.seeds import stream
from coconut_study.engine import decoding
from coconut_study.engine.tokenizer import marks_of
from coconut_study.evaluation.columns import REMOVAL, RUN
from coconut_study.evaluation.linear_probe import split
from coconut_study.evaluation.places import option_tokens
from coconut_study.evaluation.states import states
from coconut_study.questions.frontiers import frontier
from coconut_study.questions.graphs import shortest_paths
from coconut_study.questions.question import Question, group_numbers
from coconut_study.sequences.builder import build, tokenize
from coconut_study.sequences.methods import Layout, TextSettings
from coconut_study.sequences.templates import TEMPLATES

REMOVAL_COLUMNS = REMOVAL[len(RUN) :]
NONE, PATH, SIBLING, RANDOM = "none", "path", "sibling", "random"


class Removed(NamedTuple):
    """A question, one of its thoughts (from 1), and what is removed from it: as much as the thought has of
    `measured_D`, in the direction `direction_D` (both of length 1, or 0 to remove nothing)."""

    question: int
    thought: int
    what: str
    measured_D: np.ndarray
    direction_D: np.ndarray


@dataclass(frozen=True, slots=True)
class Projection:
    """An edit of thought j_B (from 0) of each row: as much as it has of one direction (B, D) is removed from
    it in the same or another direction. The thought keeps its norm."""

    j_B: Tensor
    measured_BD: Tensor
    direction_BD: Tensor

    def thought(self, j: int, thought_B1D: Tensor) -> Tensor:
        """The input of thought j, without what is removed in the rows whose thought it is."""
        measured_B1D = self.measured_BD[:, None] * (self.j_B == j)[:, None, None]
        along_B11 = (thought_B1D * measured_B1D).sum(dim=-1, keepdim=True)
        rest_B1D = thought_B1D - along_B11 * self.direction_BD[:, None]
        before_B11, after_B11 = (one.norm(dim=-1, keepdim=True) for one in (thought_B1D, rest_B1D))
        return torch.where(along_B11 == 0, thought_B1D, rest_B1D * (before_B11 / after_B11.clamp(min=1e-12)))

    def stored(self, j: int, keys_LBHE: Tensor, values_LBHE: Tensor) -> tuple[Tensor, Tensor]:
        """The keys and values, as they were computed."""
        return keys_LBHE, values_LBHE


def removal(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Seq[Question],
    layout: Layout,
    text: TextSettings,
    batch_size: int,
    seed: int,
) -> pd.DataFrame:
    """The probabilities of both options with all thoughts as they are, and with one direction removed.

    Returns one row per question of the second half, thought and direction, with the columns
    `REMOVAL_COLUMNS`. A question has only the directions that other questions define. `seed` is that of the
    random directions. ValueError for a layout without continuous thoughts.
    """
    if layout.kind != "continuous":
        raise ValueError("directions are removed from continuous thoughts only")
    model.eval()
    marks, template, group_of = marks_of(tokenizer), TEMPLATES[text.template], group_numbers(questions)
    tokens = tokenize(questions, template, tokenizer, shared=text.facts_share_position)
    thoughts_NKD = states(model, tokenizer, tokens, layout, batch_size)[:, :-1].numpy()
    rows = [*removed(thoughts_NKD, questions, seed)]
    like = next(model.parameters())
    found = []
    for start in bar(range(0, len(rows), batch_size), "removal"):
        batch = rows[start : start + batch_size]
        edit = Projection(
            torch.tensor([row.thought - 1 for row in batch], device=like.device),
            *(
                torch.tensor(np.stack(vectors)).to(like)
                for vectors in ([row.measured_D for row in batch], [row.direction_D for row in batch])
            ),
        )
        prompts = [build(tokens[row.question], layout, marks).prompt for row in batch]
        options = [option_tokens(tokenizer, questions[row.question], template) for row in batch]
        chances, _ = decoding.answer(model, prompts, options, 1, marks, edit)
        found += [
            (row.question, group_of[row.question], row.thought, row.what, *chance)
            for row, chance in zip(batch, chances.tolist(), strict=True)
        ]
    return pd.DataFrame(found, columns=list(REMOVAL_COLUMNS))


def removed(thoughts_NKD: np.ndarray, questions: Seq[Question], seed: int) -> Iterator[Removed]:
    """What is removed from the thoughts (N, K, D) of the questions of the second half."""
    train, test = split(questions)
    for j in range(thoughts_NKD.shape[1]):
        on_path = [_nodes(question, j + 1)[0] for question in questions]
        direction_of = directions(thoughts_NKD[train, j], [on_path[number] for number in train])
        for number in map(int, test):
            path, siblings = (
                [direction_of[name] for name in names if name in direction_of]
                for names in _nodes(questions[number], j + 1)
            )
            at = number, j + 1
            if path:
                none_D = np.zeros_like(path[0])
                yield Removed(*at, NONE, none_D, none_D)
                yield Removed(*at, PATH, path[0], path[0])
                yield Removed(*at, RANDOM, path[0], _random(len(none_D), seed, number, j))
            if path and siblings:
                yield Removed(*at, SIBLING, siblings[0], siblings[0])


def _random(size: int, *numbers: int) -> np.ndarray:
    """A random direction of length 1."""
    drawn = stream("removal", *numbers).standard_normal(size)
    return np.asarray(drawn / np.linalg.norm(drawn))


def directions(thoughts_ND: np.ndarray, names: Seq[Seq[str]]) -> dict[str, np.ndarray]:
    """The direction (D,) of every name, of length 1: the mean of the thoughts whose question has it among its
    `names`, minus that of the others."""
    found = {}
    for name in sorted({name for one in names for name in one}):
        has_N = np.array([name in one for one in names])
        if 0 < has_N.sum() < len(has_N):
            difference_D = thoughts_ND[has_N].mean(axis=0) - thoughts_ND[~has_N].mean(axis=0)
            if norm := float(np.linalg.norm(difference_D)):
                found[name] = difference_D / norm
    return found


def _nodes(question: Question, distance: int) -> tuple[list[str], list[str]]:
    """The names of the nodes at a distance from the root: those on a shortest path, and those on none."""
    graph = question.graph
    assert graph is not None
    on_path = {path[distance] for path in shortest_paths(graph) if len(path) > distance}
    others = [node for node in frontier(graph, distance) if node not in on_path]
    return [graph.names[node] for node in sorted(on_path)], [graph.names[node] for node in others]
