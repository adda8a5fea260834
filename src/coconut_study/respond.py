"""A trained model and questions -> responses. Nothing is scored here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study import model as engine
from coconut_study.config import Responding
from coconut_study.methods import Layout
from coconut_study.progress import bar
from coconut_study.sequences import Tokens, build
from coconut_study.tokens import Marks, marks_of


@dataclass(frozen=True, slots=True)
class Response:
    """What the model wrote for a question after k thoughts.

    `tokens` counts as the paper's tables do: written tokens with the answer mark, without <eos>, plus
    continuous thoughts; pauses and markers are not counted. `finished` is false where the limit cut it.
    """

    question: int
    k: int
    hidden: int | None
    tokens: int
    finished: bool
    text: str
    token_ids: list[int]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a batch of questions took for all its numbers of thoughts together."""

    k: list[int]
    questions: int
    seconds: float


def respond(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[Tokens],
    layouts: Sequence[Layout],
    settings: Responding,
) -> tuple[list[Response], list[Timing]]:
    """Every response to every question in every layout, by k and question, and the time batches took."""
    model.eval()
    marks = marks_of(tokenizer)
    order = sorted(range(len(questions)), key=lambda i: len(questions[i].question))
    batches = [order[i : i + settings.batch_size] for i in range(0, len(order), settings.batch_size)]
    groups = _asked_together(layouts)
    responses, timings = [], []
    for batch in bar(batches, "responses"):
        for group in groups:
            start = perf_counter()
            ids = _ask(model, [questions[i] for i in batch], group, settings.max_new_tokens, marks)
            timings.append(Timing([layout.thoughts for layout in group], len(batch), perf_counter() - start))
            for i, row in zip(batch, ids, strict=True):
                for layout, written in zip(group, row, strict=True):
                    responses.append(_response(i, layout, written, tokenizer, marks))
    return sorted(responses, key=lambda r: (r.k, r.question)), timings


def _asked_together(layouts: Sequence[Layout]) -> list[list[Layout]]:
    """Layouts with continuous thoughts share one chain; any other is asked by itself."""
    ordered = sorted(layouts, key=lambda layout: layout.thoughts)
    chained = [layout for layout in ordered if layout.kind == "continuous"]
    return [[layout] for layout in ordered if layout.kind != "continuous"] + [chained] * bool(chained)


def _ask(
    model: PreTrainedModel, questions: list[Tokens], group: list[Layout], limit: int, marks: Marks
) -> list[list[list[int]]]:
    prompts = [build(tokens, group[-1], marks).prompt for tokens in questions]
    ks = [layout.thoughts if layout.kind == "continuous" else 0 for layout in group]
    return engine.generate(model, prompts, ks, limit, marks)


def _response(
    question: int, layout: Layout, ids: list[int], tokenizer: PreTrainedTokenizerBase, marks: Marks
) -> Response:
    finished = ids[-1:] == [marks.eos]
    written = ids[:-1] if finished else ids
    thoughts = layout.thoughts if layout.kind == "continuous" else 0
    text = str(tokenizer.decode(written))
    return Response(question, layout.thoughts, layout.hidden, len(written) + thoughts, finished, text, ids)
