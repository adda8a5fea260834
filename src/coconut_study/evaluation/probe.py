"""Probes of thoughts: the value of every candidate for the next step, and the tokens a thought decodes to.

The value of a candidate after k thoughts is the probability that the model continues with its name if it is
forced to write a step there (paper section 5.3 and Figure 7): the product over the tokens of the name, each
given all tokens before it. A pause in the place of a thought has no content, so the values after k pauses are
what a model knows without thoughts. Values are not aggregated here, and rows are no tables: models are probed
where pandas is not installed.

Dimensions: B questions, G groups of rows that share what comes before the thoughts, R rows, K states along a
chain of thoughts, A columns after the thoughts, T columns, N predicted tokens, D hidden size, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import asdict, dataclass, replace
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.common.progress import bar
from coconut_study.common.workspace import PieceRunner, unsaved
from coconut_study.engine.batches import collate
from coconut_study.engine.decoding import thought_states
from coconut_study.engine.forward import Reader, logits
from coconut_study.engine.tokenizer import marks_of
from coconut_study.evaluation.columns import DECODED, RUN, VALUES
from coconut_study.questions.frontiers import Candidate, Height, candidates
from coconut_study.questions.question import Question, group_numbers
from coconut_study.sequences.builder import Sequence, Tokens, build
from coconut_study.sequences.methods import Layout
from coconut_study.sequences.templates import TemplateName

VALUE_COLUMNS = VALUES[len(RUN) :]
DECODED_COLUMNS = DECODED[len(RUN) :]


class Opening(NamedTuple):
    """How a step is forced: the text it begins with, and the distance of its first name.

    After hidden steps, a sentence first names the node they lead to (`ahead` 0). In `symbols` a step is
    just the node that it leads to, one edge further (`ahead` 1).
    """

    text: str
    ahead: int


OPENINGS: dict[TemplateName, Opening] = {"prose": Opening("Every", 0), "symbols": Opening("", 1)}


@dataclass(frozen=True, slots=True)
class Probe:
    """A candidate for the next step after k thoughts, `frontier` edges from the root, and the sequence whose
    loss tokens are its name."""

    question: int
    k: int
    frontier: int
    candidate: Candidate
    sequence: Sequence


# ---------------------------------------------------------------------------------------------- values


def probe(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Seq[Question],
    tokens: Seq[Tokens],
    layouts: Seq[Layout],
    template: TemplateName,
    height: Height,
    batch_size: int,
    run_piece: PieceRunner = unsaved,
) -> list[dict[str, Any]]:
    """The value of every candidate for the next step, for every question and layout.

    Returns one row per candidate, with the keys `VALUE_COLUMNS`, sorted by k and question. Candidates
    are at the distance from the root (`frontier`) that the layout hides steps (if it hides all, as many as it
    has thoughts), one more in `symbols`. Questions without a graph have none. `batch_size` counts prompts: a
    question has one, or one for every number of pauses. `run_piece` may return a batch that an interrupted
    job has saved. ValueError for a layout of a method without thoughts or with loops.
    """
    if any(layout.kind in ("none", "loops") for layout in layouts):
        raise ValueError("only continuous thoughts and pauses can be probed")
    model.eval()
    groups = _probes(tokenizer, questions, tokens, layouts, template, height)
    groups.sort(key=lambda group: len(group[0].sequence.before))
    group_of = group_numbers(questions)
    batches = [groups[i : i + batch_size] for i in range(0, len(groups), batch_size)]

    def evaluate(batch: list[list[Probe]]) -> list[dict[str, Any]]:
        value_R = values(model, [[p.sequence for p in group] for group in batch], marks_of(tokenizer).pad)
        probes = [p for group in batch for p in group]
        return [
            {"question": p.question, "group": group_of[p.question], "k": p.k, "frontier": p.frontier}
            | asdict(p.candidate)
            | {"value": value}
            for p, value in zip(probes, value_R.tolist(), strict=True)
        ]

    pieces = [
        run_piece(f"batch{n}", partial(evaluate, batch)) for n, batch in enumerate(bar(batches, "probes"))
    ]
    return sorted((row for piece in pieces for row in piece), key=itemgetter("k", "question"))


def _probes(
    tokenizer: PreTrainedTokenizerBase,
    questions: Seq[Question],
    tokens: Seq[Tokens],
    layouts: Seq[Layout],
    template: TemplateName,
    height: Height,
) -> list[list[Probe]]:
    """The probes, grouped: a group shares its question, its pauses, and its chain of continuous thoughts."""
    marks, opening = marks_of(tokenizer), OPENINGS[template]
    groups: dict[tuple[int, int], list[Probe]] = {}
    for number, (question, question_tokens) in enumerate(zip(questions, tokens, strict=True)):
        if question.graph is None:
            continue
        for layout in layouts:
            frontier = opening.ahead + (layout.thoughts if layout.hidden is None else layout.hidden)
            prompt = build(question_tokens, layout, marks).prompt
            for candidate in candidates(question.graph, frontier, height):
                sequence = _continued(prompt, *name_tokens(tokenizer, opening.text, candidate.node))
                found = Probe(number, layout.thoughts, frontier, candidate, sequence)
                groups.setdefault((number, len(prompt.before)), []).append(found)
    return list(groups.values())


def name_tokens(tokenizer: PreTrainedTokenizerBase, opening: str, name: str) -> tuple[list[int], list[int]]:
    """Token ids of the opening of a step, and of `name` after it, as they are tokenized in running text.

    ValueError if opening and name share a token.
    """
    before, both = tokenizer([opening, f"{opening} {name}"], add_special_tokens=False)["input_ids"]
    if both[: len(before)] != before:
        raise ValueError(f"{opening!r} shares a token with the name {name!r} that follows it")
    return before, both[len(before) :]


def _continued(prompt: Sequence, opening: list[int], name: list[int]) -> Sequence:
    """The prompt, followed by the opening of a step and a name; only the name has loss."""
    longer = replace(prompt, after=prompt.after + opening + name, n_loss=len(name))
    return longer.with_thoughts(prompt.thoughts)


@torch.no_grad()
def values(model: PreTrainedModel, groups: Seq[Seq[Sequence]], pad: int) -> Tensor:
    """The probability (R,) of the loss tokens of each row: the product over them, each given all before it.

    Rows of a group must agree in all that comes before the continuous thoughts; they may differ in the number
    of these and in what follows. One prefill and one chain of thoughts serve the whole group, and one more
    forward pass reads what follows in all rows of all groups.
    """
    device = next(model.parameters()).device
    lined_up = partial(collate, pad=pad, aligned=True, share_prefixes=False)  # whose columns must agree
    batch = lined_up([row for group in groups for row in group]).to(device)
    chain = lined_up([group[0].with_thoughts(batch.n_thoughts) for group in groups])
    group_R = torch.repeat_interleave(torch.tensor([len(group) for group in groups])).to(device)
    reader = Reader(model)
    last_GKD = torch.cat([block[:, -1:] for block in reader.think(chain.to(device))], dim=1)
    reader.select(group_R)
    start, width = batch.first_thought, batch.tokens_BT.shape[1]
    stop = start + batch.n_thoughts
    after = reader.embed(batch.tokens_BT[:, stop:])
    after_RAD = reader.read(after, batch.mask_BT, batch.positions_BT[:, stop:])
    hidden_RTD = torch.cat([last_GKD[group_R], after_RAD], dim=1)  # from the column before the thoughts on
    row_N, column_N = batch.predictor_N // width, batch.predictor_N % width - (start - 1)
    log_p_NV = logits(model, hidden_RTD[row_N, column_N]).log_softmax(dim=-1)
    log_p_N = log_p_NV.gather(1, batch.target_N[:, None])[:, 0]
    return log_p_N.new_zeros(len(group_R)).index_add(0, row_N, log_p_N).exp()


# --------------------------------------------------------------------------------------------- decoding


@torch.no_grad()
def decoded(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    tokens: Seq[Tokens],
    layout: Layout,
    top: int,
    batch_size: int,
) -> list[dict[str, Any]]:
    """The `top` most likely tokens of each thought under the output embeddings (paper Figure 4).

    Returns one row per token, with the keys `DECODED_COLUMNS`; thoughts and ranks are numbered from 1. A
    thought is the hidden state that is fed back: the first one is that of the last position before the
    thoughts.
    """
    model.eval()
    marks = marks_of(tokenizer)
    rows = []
    for start in bar(range(0, len(tokens), batch_size), "thoughts"):
        prompts = [build(one, layout, marks).prompt for one in tokens[start : start + batch_size]]
        thoughts_BKD = thought_states(model, prompts, layout.thoughts, marks)[:, :-1]
        best = logits(model, thoughts_BKD).softmax(dim=-1).topk(top)
        ids, probabilities = best.indices.cpu().numpy(), best.values.cpu().numpy()
        for row, thought, rank in np.ndindex(ids.shape):
            index = row, thought, rank
            token = str(tokenizer.decode([int(ids[index])]))
            values_of_row = (start + row, thought + 1, rank + 1, token, float(probabilities[index]))
            rows.append(dict(zip(DECODED_COLUMNS, values_of_row, strict=True)))
    return rows
