"""Tracing: where, between question and answer, is what decides the answer? (Causal tracing, Meng et al. 2022,
arXiv 2202.05262, of the difference between a question and its mirror.)

A *clean* run reads a question. A *corrupt* run reads it with the root of its mirror, whose right answer is
the other option: the name of the root differs in the question, in written steps if there are any (they are
those of the mirror), and in the sentence of the answer; all else is equal. A *patched* run is the corrupt
one, with the residual stream of some columns in one layer replaced by that of the clean run. What comes later
is computed from what was restored, also the thoughts. Three values are known beforehand: restoring everything
gives the clean run; facts stand before the root, so that restoring them changes nothing; in the last layer
the columns of the answer alone decide.

Every run gives two numbers: the probabilities of the names of both options where the answer is due.

Dimensions: B rows (two for each question, one for each option), T columns, L layers, D hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import pandas as pd
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.common.errors import StudyError
from coconut_study.common.progress import bar
from coconut_study.common.workspace import PieceRunner, unsaved
from coconut_study.engine.batches import Batch, collate
from coconut_study.engine.decoding import Option
from coconut_study.engine.forward import predictions
from coconut_study.engine.residuals import Patch, blocks_of, read
from coconut_study.engine.tokenizer import marks_of
from coconut_study.evaluation.columns import RUN, TRACING
from coconut_study.evaluation.places import mirrored, option_tokens, question_places
from coconut_study.questions.question import Question, group_numbers
from coconut_study.sequences.builder import Sequence, Tokens, build, tokenize
from coconut_study.sequences.methods import Layout, TextSettings
from coconut_study.sequences.templates import TEMPLATES, TemplateName

TRACING_COLUMNS = TRACING[len(RUN) :]
OUTSIDE = -1  # the layer in rows of the clean and of the corrupt run
CLEAN, CORRUPT, EVERYTHING = "clean", "corrupt", "everything"


@dataclass(frozen=True, slots=True)
class Traced:
    """A question: the sequences of the clean and of the corrupt run, and the columns of every place (numbers
    of the sequence's tokens), each for an answer with the right and with the wrong option."""

    question: int
    clean: tuple[Sequence, ...]
    corrupt: tuple[Sequence, ...]
    places: tuple[Mapping[str, list[int]], ...]


class Chances(NamedTuple):
    """The probabilities of the right and of the wrong option, for each of some questions."""

    right: list[float]
    wrong: list[float]


# ------------------------------------------------------------------------------------------- sequences


def traced(
    tokenizer: PreTrainedTokenizerBase,
    questions: Seq[Question],
    layout: Layout,
    text: TextSettings,
) -> list[Traced]:
    """The questions that can be traced: with a mirror whose sequence has its tokens in the same columns.

    StudyError if there are none.
    """
    marks, template = marks_of(tokenizer), text.template
    pairs = [(number, question, mirrored(question)) for number, question in enumerate(questions)]
    found = []
    for number, question, mirror in pairs:
        if mirror is None:
            continue
        clean, corrupt = tokenize(
            [question, mirror], TEMPLATES[template], tokenizer, shared=text.facts_share_position
        )
        written = [_written(tokens, layout) for tokens in (clean, corrupt)]
        if [*map(len, written[0])] != [*map(len, written[1])]:
            continue
        options = option_tokens(tokenizer, question, TEMPLATES[template])
        opposite = option_tokens(tokenizer, mirror, TEMPLATES[template])[::-1]
        runs = [
            tuple(_answered(build(tokens, layout, marks).prompt, steps, option) for option in named)
            for tokens, steps, named in ((clean, written[0], options), (corrupt, written[1], opposite))
        ]
        if all(_aligned(*sequences) for sequences in zip(*runs, strict=True)):
            places = tuple(_places(tokenizer, question, clean, one, layout, template) for one in runs[0])
            found.append(Traced(number, runs[0], runs[1], places))
    if not found:
        raise StudyError(
            "tracing: no question has a mirror with its tokens in the same places; use graph questions whose "
            "other option is reached from another person, and names of equally many tokens"
        )
    return found


def _answered(prompt: Sequence, steps: list[list[int]], option: Option) -> Sequence:
    """A prompt, the steps that are still written, and an answer that ends with an option, whose name has
    loss."""
    written = [token for step in steps for token in step]
    after = prompt.after + written + option.opening + option.name
    longer = replace(prompt, after=after, n_loss=len(option.name))
    return longer.with_thoughts(prompt.thoughts)


def _written(tokens: Tokens, layout: Layout) -> list[list[int]]:
    return [] if layout.hidden is None else tokens.steps[layout.hidden :]


def _aligned(one: Sequence, other: Sequence) -> bool:
    return len(one.before) == len(other.before) and len(one.after) == len(other.after)


def _places(
    tokenizer: PreTrainedTokenizerBase,
    question: Question,
    tokens: Tokens,
    sequence: Sequence,
    layout: Layout,
    template: TemplateName,
) -> dict[str, list[int]]:
    """The columns of every place of a sequence, by its name and in the order of the sequence."""
    places = question_places(tokenizer, question, template)
    k = layout.thoughts
    first = len(sequence.before) - (k if layout.kind == "pause" else 0)
    places |= _numbered("thought", [[first + number] for number in range(k)])
    column = len(sequence.before) + sequence.thoughts + layout.markers
    steps = []
    for step in _written(tokens, layout):
        steps.append([*range(column, column + len(step))])
        column += len(step)
    places |= _numbered("step", steps)
    return {**places, "answer": [*range(column, len(sequence))], EVERYTHING: [*range(len(sequence))]}


def _numbered(word: str, places: list[list[int]]) -> dict[str, list[int]]:
    """Places with their number, and all of them together if there are several."""
    named = {f"{word} {number}": place for number, place in enumerate(places, 1)}
    together = {f"all {word}s": [column for place in places for column in place]}
    return named | (together if len(places) > 1 else {})


# ------------------------------------------------------------------------------------------------ runs


def trace(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Seq[Question],
    layout: Layout,
    text: TextSettings,
    batch_size: int,
    run_piece: PieceRunner = unsaved,
) -> pd.DataFrame:
    """The probabilities of both options in the clean, the corrupt and every patched run of each question.

    Returns one row per question, layer and place, with the columns `TRACING_COLUMNS`; the clean and the
    corrupt run have the layer `OUTSIDE`. `batch_size` counts sequences, of which a question has two.
    `run_piece` may return a batch that an interrupted job has saved. StudyError for a model whose residual
    stream cannot be read, and if no question can be traced.
    """
    model.eval()
    blocks_of(model)
    found = traced(tokenizer, questions, layout, text)
    group_of = group_numbers(questions)
    size = max(1, batch_size // 2)
    batches = [found[i : i + size] for i in range(0, len(found), size)]
    pad = marks_of(tokenizer).pad

    def evaluate(batch: list[Traced]) -> list[list[Any]]:
        return [
            [one.question, group_of[one.question], layer, place, right, wrong]
            for layer, place, chances in _runs(model, batch, pad)
            for one, right, wrong in zip(batch, *chances, strict=True)
            if layer == OUTSIDE or place in one.places[0]
        ]

    pieces = [
        run_piece(f"batch{n}", partial(evaluate, batch)) for n, batch in enumerate(bar(batches, "traces"))
    ]
    return pd.DataFrame([row for piece in pieces for row in piece], columns=list(TRACING_COLUMNS))


def _runs(model: PreTrainedModel, batch: Seq[Traced], pad: int) -> Iterator[tuple[int, str, Chances]]:
    """Layer, place and probabilities of every run of some questions."""
    device = next(model.parameters()).device
    clean, corrupt = (
        collate(rows, pad, aligned=True, share_prefixes=False).to(device)
        for rows in (
            [row for one in batch for row in one.clean],
            [row for one in batch for row in one.corrupt],
        )
    )
    hidden_BTD, clean_LBTD = read(model, clean)
    yield OUTSIDE, CLEAN, _chances(model, clean, hidden_BTD)
    hidden_BTD, _ = read(model, corrupt)
    yield OUTSIDE, CORRUPT, _chances(model, corrupt, hidden_BTD)
    for place in max((one.places[0] for one in batch), key=len):
        where_BT = _where(corrupt, batch, place).to(device)
        for layer, states_BTD in enumerate(clean_LBTD):
            hidden_BTD, _ = read(model, corrupt, Patch(layer, states_BTD, where_BT))
            yield layer, place, _chances(model, corrupt, hidden_BTD)


def _where(rows: Batch, batch: Seq[Traced], place: str) -> Tensor:
    """Where a place is (B, T): true in its columns, which stand at the end of the block of their row."""
    where_BT = torch.zeros(rows.tokens_BT.shape, dtype=torch.bool)
    sequences = [row for one in batch for row in one.corrupt]
    places = [row for one in batch for row in one.places]
    for row, (sequence, columns) in enumerate(zip(sequences, places, strict=True)):
        offset = rows.first_thought - len(sequence.before)
        where_BT[row, [offset + column for column in columns.get(place, [])]] = True
    return where_BT


def _chances(model: PreTrainedModel, batch: Batch, hidden_BTD: Tensor) -> Chances:
    """The probability of the tokens with loss of each row: the product over them, each given those before."""
    log_p_NV = predictions(model, batch, hidden_BTD).log_softmax(dim=-1)
    log_p_N = log_p_NV.gather(1, batch.target_N[:, None])[:, 0]
    row_N = batch.predictor_N // batch.tokens_BT.shape[1]
    p_B = log_p_N.new_zeros(len(batch.tokens_BT)).index_add(0, row_N, log_p_N).exp()
    return Chances(p_B[::2].tolist(), p_B[1::2].tolist())
