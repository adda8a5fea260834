"""Responses of a trained model to questions, and how long they take. Nothing is graded here."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from time import perf_counter
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.common.progress import bar
from coconut_study.common.workspace import PieceRunner, unsaved
from coconut_study.engine import forward
from coconut_study.engine.decoding import generate
from coconut_study.engine.prefixes import by_length
from coconut_study.engine.tokenizer import marks_of
from coconut_study.evaluation.responses import Response
from coconut_study.evaluation.settings import Clock, Responding
from coconut_study.sequences.builder import Marks, Tokens, build
from coconut_study.sequences.methods import FED_BACK, Layout


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds in which a batch of `questions` questions was answered after every number `k` of thoughts."""

    k: list[int]
    questions: int
    seconds: float


def respond(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[Tokens],
    layouts: Sequence[Layout],
    settings: Responding,
    run_piece: PieceRunner = unsaved,
) -> tuple[list[Response], list[Timing]]:
    """Answer every question once in every layout.

    Returns the responses, sorted by k and question, and the timings of the batches. Layouts with continuous
    thoughts share one chain of thoughts (paper section 5.1). `run_piece` may return a batch that an
    interrupted job has saved. StudyError if a sequence exceeds the positions of the model.
    """
    model.eval()
    marks = marks_of(tokenizer)
    _check_positions(model, questions, layouts, settings.max_new_tokens, marks)
    prompts = [tokens.question for tokens in questions]
    order = by_length(prompts, list(map(len, prompts)))
    batches = [order[i : i + settings.batch_size] for i in range(0, len(order), settings.batch_size)]
    groups = _groups(layouts)

    def answer(batch: list[int]) -> dict[str, list[dict[str, Any]]]:
        responses, timings = [], []
        for group in groups:
            start = perf_counter()
            ids = _generate(model, [questions[i] for i in batch], group, settings.max_new_tokens, marks)
            timings.append(Timing([layout.thoughts for layout in group], len(batch), perf_counter() - start))
            responses += [
                response_of(i, layout, written, tokenizer, marks)
                for i, row in zip(batch, ids, strict=True)
                for layout, written in zip(group, row, strict=True)
            ]
        return {
            "responses": [response.model_dump() for response in responses],
            "timings": [asdict(timing) for timing in timings],
        }

    answered = [
        run_piece(f"batch{number}", partial(answer, batch))
        for number, batch in enumerate(bar(batches, "responses"))
    ]
    responses = [Response(**row) for piece in answered for row in piece["responses"]]
    timings = [Timing(**row) for piece in answered for row in piece["timings"]]
    return sorted(responses, key=lambda response: (response.k, response.question)), timings


def _check_positions(
    model: PreTrainedModel, questions: Sequence[Tokens], layouts: Sequence[Layout], limit: int, marks: Marks
) -> None:
    """StudyError if a question with its thoughts and a response exceeds the positions of the model."""
    ends = [build(one, layout, marks).prompt.positions[-1] for one in questions for layout in layouts]
    forward.check_positions(
        model,
        max(ends, default=-1) + 1 + limit,
        f"responding.max_new_tokens: {limit} tokens after the longest question with its thoughts",
        "lower it, or use a model with more positions",
    )


def clock(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[Tokens],
    layout: Layout,
    settings: Responding,
    timing: Clock,
) -> list[dict[str, Any]]:
    """Seconds to answer all `questions`, one at a time and in batches of `timing.batch_size` (paper Table 4).

    Returns one row per batch size. A first batch warms the model up and is not timed.
    """
    rows = []
    device = model.device
    processor = f"{platform.machine()}, {torch.get_num_threads()} threads"
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor
    for size in dict.fromkeys((1, timing.batch_size)):
        sized = settings.model_copy(update={"batch_size": size})
        respond(model, tokenizer, questions[:size], [layout], sized)
        _, timings = respond(model, tokenizer, questions, [layout], sized)
        seconds = sum(batch.seconds for batch in timings)
        rows.append(
            {
                "batch size": size,
                "questions": len(questions),
                "seconds": seconds,
                "device": name,
                "k": layout.thoughts,
            }
        )
    return rows


def _groups(layouts: Sequence[Layout]) -> list[list[Layout]]:
    """Layouts answered together: all whose thoughts are fed back share one chain, any other is alone."""
    ordered = sorted(layouts, key=lambda layout: layout.thoughts)
    chained = [layout for layout in ordered if layout.kind in FED_BACK]
    return [[layout] for layout in ordered if layout.kind not in FED_BACK] + [chained] * bool(chained)


def _generate(
    model: PreTrainedModel, questions: list[Tokens], group: list[Layout], limit: int, marks: Marks
) -> list[list[list[int]]]:
    """The new token ids of every question (first index) in every layout of a group (second index)."""
    prompts = [build(tokens, group[-1], marks).prompt for tokens in questions]
    ks = [layout.thoughts if layout.kind in FED_BACK else 0 for layout in group]
    return generate(model, prompts, ks, limit, marks)


def response_of(
    question: int, layout: Layout, ids: list[int], tokenizer: PreTrainedTokenizerBase, marks: Marks
) -> Response:
    """The response that has these token ids, to the question of this number in a layout."""
    finished = ids[-1:] == [marks.eos]
    return Response(
        question=question,
        k=layout.thoughts,
        kind=layout.kind,
        hidden=layout.hidden,
        finished=finished,
        text=str(tokenizer.decode(ids[:-1] if finished else ids)),
        token_ids=ids,
    )
