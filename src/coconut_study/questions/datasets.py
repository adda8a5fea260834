"""The three splits of a data set, from a generator, from files, or from the hub.

A generator draws a question, or a group of questions, from a random stream. Every generated question is
proved by a solver, and no two questions of a data set are the same: graphs differ by more than names, texts
differ word for word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np

from coconut_study.common.errors import StudyError
from coconut_study.common.files import file_hash
from coconut_study.common.seeds import stream
from coconut_study.questions import (
    arithmetic,
    balanced,
    crossed,
    formats,
    graphs,
    prontoqa,
    prosqa,
)
from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import Question, by_group, fault, from_graphs
from coconut_study.questions.settings import (
    Arithmetic,
    Balanced,
    Crossed,
    Files,
    Hub,
    Prontoqa,
    Prosqa,
)

SPLITS = ("train", "valid", "test")
TRIES = 5000  # attempts in a row without a new question before a generator gives up

Generator = Prosqa | Balanced | Crossed | Prontoqa | Arithmetic
Splits = dict[str, list[Question]]


class Draft(NamedTuple):
    """What a generator drew: the identities of its questions, and a function that writes them."""

    identities: frozenset[str]
    write: Callable[[np.random.Generator], list[Question]]


Draw = Callable[[np.random.Generator], Draft | None]
Fault = Callable[[Question], str | None]


# ------------------------------------------------------------------------------------------ generators


def generator(settings: Generator) -> tuple[Draw, Fault]:
    """The function that draws a draft (None if the attempt is rejected), and the one that finds faults in
    its questions."""
    if isinstance(settings, Prontoqa):
        return partial(_text_draft, partial(prontoqa.draw, hops=settings.hops)), prontoqa.fault
    if isinstance(settings, Arithmetic):
        return partial(_text_draft, partial(arithmetic.draw, steps=settings.steps)), arithmetic.fault
    draw: Callable[..., tuple[Graph, ...]] = prosqa.draw
    if isinstance(settings, Balanced):
        module = crossed if isinstance(settings, Crossed) else balanced
        draw = partial(module.draw, edges=settings.edges)
    draw = partial(draw, nodes=settings.nodes, hops=settings.hops)
    if isinstance(settings, Balanced) and settings.bystanders:
        draw = partial(_with_bystanders, draw, settings.bystanders)
    rename = partial(
        graphs.rename, persons=settings.persons, concepts=settings.concepts, names=settings.names
    )
    return partial(_graph_draft, draw, rename), fault


def _with_bystanders(
    draw: Callable[[np.random.Generator], tuple[Graph, ...]], count: int, rng: np.random.Generator
) -> tuple[Graph, ...]:
    drawn = draw(rng)
    return graphs.with_bystanders(drawn, count, rng) if drawn else ()


def _text_draft(draw: Callable[[np.random.Generator], Question], rng: np.random.Generator) -> Draft:
    question = draw(rng)
    return Draft(frozenset([identity(question)]), lambda _: [question])


def _graph_draft(
    draw: Callable[[np.random.Generator], tuple[Graph, ...]],
    rename: Callable[[tuple[Graph, ...], np.random.Generator], tuple[Graph, ...]],
    rng: np.random.Generator,
) -> Draft | None:
    drawn = draw(rng)
    if not drawn:
        return None

    def write(rng: np.random.Generator) -> list[Question]:
        try:
            named = rename(drawn, rng)
        except ValueError as error:
            raise StudyError(f"questions.persons, questions.concepts: {error}; use more") from error
        return from_graphs(named, rng, same_options=len(drawn) > 2)

    return Draft(frozenset(map(graphs.fingerprint, drawn[::2])), write)


def identity(question: Question) -> str:
    """What makes a question different from all others of a data set; mirror questions have the same one.

    It is the fingerprint of the graph of a graph question, and the text of any other.
    """
    return graphs.fingerprint(question.graph) if question.graph else question.question


def draw_questions(
    settings: Generator, size: int, rng: np.random.Generator, seen: set[str]
) -> list[Question]:
    """Draw and prove `size` questions whose identities are not in `seen`, and add theirs to `seen`.

    StudyError if the generator finds no new question in `TRIES` attempts, or if names do not suffice.
    """
    draw, find_fault = generator(settings)
    questions: list[Question] = []
    attempts = 0
    while len(questions) < size:
        draft = draw(rng)
        if draft is not None and seen.isdisjoint(draft.identities):
            attempts = 0
            seen |= draft.identities
            questions += [_proved(question, find_fault) for question in draft.write(rng)]
            continue
        attempts += 1
        if attempts == TRIES:
            raise StudyError(
                f"questions: {TRIES} attempts in a row gave nothing new after {len(seen)}; use smaller sizes "
                "or settings that allow more questions (more nodes, fewer edges, other hops or steps)"
            )
    return questions[:size]


def _proved(question: Question, find_fault: Fault) -> Question:
    if wrong := find_fault(question):
        raise AssertionError(f"the generator drew a wrong question ({wrong}): {question}")
    return question


def generate(settings: Generator) -> Splits:
    """Draw the three splits from one random stream."""
    rng, seen = stream("questions", settings.seed), set[str]()
    # Test and validation questions are drawn first, so that they do not depend on the size of train.
    sizes = {name: getattr(settings.sizes, name) for name in SPLITS[::-1]}
    splits = {name: draw_questions(settings, size, rng, seen) for name, size in sizes.items()}
    return {name: splits[name] for name in SPLITS}


# ---------------------------------------------------------------------------------------------- shards


def draw_shard(settings: Generator, shard: int) -> list[Question]:
    """Draw shard number `shard` of a data set from a stream of its own; shards may share a few questions."""
    size = ceil(sum(settings.sizes.model_dump().values()) / settings.shards)
    return draw_questions(
        settings, size + -size % settings.GROUP, stream("questions", settings.seed, shard), set()
    )


def combine_shards(settings: Generator, shards: Sequence[Sequence[Question]]) -> Splits:
    """The three splits of a data set from its shards; repeated questions are replaced by new ones."""
    seen = set[str]()
    questions = [question for shard in shards for question in _unseen(shard, seen)]
    sizes = {name: getattr(settings.sizes, name) for name in SPLITS[::-1]}
    missing = max(sum(sizes.values()) - len(questions), 0)
    questions += draw_questions(settings, missing, stream("questions", settings.seed, settings.shards), seen)
    remaining = iter(questions)
    splits = {name: [next(remaining) for _ in range(size)] for name, size in sizes.items()}
    return {name: splits[name] for name in SPLITS}


def _unseen(shard: Sequence[Question], seen: set[str]) -> Iterator[Question]:
    """Questions of a shard whose identity is not in `seen`, to which it is added; groups stay together."""
    for group in ([shard[index] for index in indices] for indices in by_group(shard)):
        identities = {identity(question) for question in group}
        if seen.isdisjoint(identities):
            seen |= identities
            yield from group


# --------------------------------------------------------------------------------------- files and hub


def load(settings: Files | Hub) -> Splits:
    """Read the three splits of an existing data set, and check its counts and checksums where given.

    StudyError names a wrong file or split, or a question of valid or test that is repeated there or is in
    another split too, if there are more of them than `repeats` allows.
    """
    if isinstance(settings, Hub):
        splits = {name: _from_hub(settings, name) for name in SPLITS}
    else:
        splits = {name: _from_file(settings, name) for name in SPLITS}
    if len(repeats := _repeats(splits)) > settings.repeats:
        name, index, other = repeats[0]
        raise StudyError(
            f"{_origin(settings, name)}: question {index} of {name} repeats a question of {other}, and so do "
            f"{len(repeats)} in all; remove them, or allow them with repeats: {len(repeats)}"
        )
    return splits


def _repeats(splits: Splits) -> list[tuple[str, int, str]]:
    """(split, index, earlier split) of every repeated question, in the order test, valid, train.

    Questions that are repeated within train alone are not counted.
    """
    repeats = []
    first: dict[str, str] = {}
    for name in SPLITS[::-1]:
        for index, question in enumerate(splits[name]):
            if (earlier := first.get(question.question)) not in (None, "train"):
                repeats.append((name, index, str(earlier)))
            first.setdefault(question.question, name)
    return repeats


def _origin(settings: Files | Hub, name: str) -> str:
    """The file or the split of the hub that a split is read from, for messages."""
    split = getattr(settings, name)
    return split.path if isinstance(settings, Files) else f"{settings.path}, split {split.split}"


def _from_file(settings: Files, name: str) -> list[Question]:
    file = getattr(settings, name)
    path = Path(file.path)
    if file.sha256 and path.is_file() and (digest := file_hash(path)) != file.sha256:
        raise StudyError(f"{path}: sha256 is {digest}, the study expects {file.sha256}")
    questions = formats.read(path)
    if file.rows is not None:
        start, stop = file.rows
        if stop > len(questions):
            raise StudyError(f"{path}: has {len(questions)} rows, the study takes {start} to {stop}")
        questions = questions[start:stop]
    return _checked_count(_origin(settings, name), questions, file.count)


def _from_hub(settings: Hub, name: str) -> list[Question]:
    split = getattr(settings, name)
    questions = formats.from_hub(settings.path, split.split, settings.revision)
    return _checked_count(_origin(settings, name), questions, split.count)


def _checked_count(origin: str, questions: list[Question], count: int | None) -> list[Question]:
    if count is not None and len(questions) != count:
        raise StudyError(f"{origin}: {len(questions)} questions, the study expects {count}")
    return questions
