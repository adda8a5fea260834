"""A trained model and questions -> responses. Nothing is scored here."""

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
from coconut_study.common.workspace import Keeping, at_once
from coconut_study.engine import forward
from coconut_study.engine.decoding import generate
from coconut_study.engine.prefixes import by_length
from coconut_study.engine.tokenizer import marks_of
from coconut_study.evaluation.responses import Response
from coconut_study.evaluation.settings import Clock, Responding
from coconut_study.sequences.builder import Marks, Tokens, build
from coconut_study.sequences.methods import Layout


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
    kept: Keeping = at_once,
) -> tuple[list[Response], list[Timing]]:
    """Every response to every question in every layout, by k and question, and the time batches took; what is
    kept of a run that was interrupted is not asked again."""
    model.eval()
    marks = marks_of(tokenizer)
    _check_room(model, questions, layouts, settings.max_new_tokens, marks)
    asked = [tokens.question for tokens in questions]
    order = by_length(asked, list(map(len, asked)))
    batches = [order[i : i + settings.batch_size] for i in range(0, len(order), settings.batch_size)]
    groups = _asked_together(layouts)

    def answer(batch: list[int]) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {"responses": [], "timings": []}
        for group in groups:
            start = perf_counter()
            ids = _ask(model, [questions[i] for i in batch], group, settings.max_new_tokens, marks)
            timing = Timing([layout.thoughts for layout in group], len(batch), perf_counter() - start)
            found["timings"].append(asdict(timing))
            for i, row in zip(batch, ids, strict=True):
                for layout, written in zip(group, row, strict=True):
                    found["responses"].append(asdict(_response(i, layout, written, tokenizer, marks)))
        return found

    answered = [
        kept(f"batch{number}", partial(answer, batch))
        for number, batch in enumerate(bar(batches, "responses"))
    ]
    responses = [Response(**row) for found in answered for row in found["responses"]]
    timings = [Timing(**row) for found in answered for row in found["timings"]]
    return sorted(responses, key=lambda r: (r.k, r.question)), timings


def _check_room(
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
    """Seconds to answer all `questions`, one at a time and in batches; a first batch is not timed."""
    rows = []
    device = model.device
    processor = f"{platform.machine()}, {torch.get_num_threads()} threads"
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor
    for size in dict.fromkeys((1, timing.batch_size)):
        sized = settings.model_copy(update={"batch_size": size})
        respond(model, tokenizer, questions[:size], [layout], sized)
        _, times = respond(model, tokenizer, questions, [layout], sized)
        seconds = sum(time.seconds for time in times)
        rows.append({"batch size": size, "questions": len(questions), "seconds": seconds, "device": name})
    return rows


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
    return generate(model, prompts, ks, limit, marks)


def _response(
    question: int, layout: Layout, ids: list[int], tokenizer: PreTrainedTokenizerBase, marks: Marks
) -> Response:
    finished = ids[-1:] == [marks.eos]
    text = str(tokenizer.decode(ids[:-1] if finished else ids))
    return Response(question, layout.thoughts, layout.kind, layout.hidden, finished, text, ids)
