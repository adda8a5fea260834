"""Where questions come from: generators, files and the hub -> the three splits of a data set.

A generator draws a question, or a pair of mirror questions, from a random stream. Every one is proved by a
solver before it is kept, and no two are alike (graphs up to renaming, texts word for word).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np

from coconut_study.common.errors import StudyError
from coconut_study.common.seeds import stream
from coconut_study.questions import arithmetic, balanced, formats, graphs, prontoqa, prosqa
from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import Question, ask, fault
from coconut_study.questions.settings import Arithmetic, Balanced, Files, Hub, Prontoqa, Prosqa

SPLITS = ("train", "valid", "test")
TRIES = 5000  # discarded tries in a row after which a generator is thought unable to go on

Generator = Prosqa | Balanced | Prontoqa | Arithmetic
Splits = dict[str, list[Question]]


class Draft(NamedTuple):
    """What a generator drew: a mark that tells it from others, and a way to write its questions."""

    mark: str
    write: Callable[[np.random.Generator], list[Question]]


Draw = Callable[[np.random.Generator], Draft | None]
Prove = Callable[[Question], str | None]


# ------------------------------------------------------------------------------------------ generators


def generator(settings: Generator) -> tuple[Draw, Prove]:
    """How a question of a data set is drawn (None: try again), and what proves it."""
    if isinstance(settings, Prontoqa):
        return partial(_text, partial(prontoqa.draw, hops=settings.hops)), prontoqa.fault
    if isinstance(settings, Arithmetic):
        return partial(_text, partial(arithmetic.draw, steps=settings.steps)), arithmetic.fault
    drawn: Callable[..., tuple[Graph, ...]] = prosqa.draw_prosqa
    if isinstance(settings, Balanced):
        drawn = partial(balanced.draw_balanced, edges=settings.edges)
    drawn = partial(drawn, nodes=settings.nodes, hops=settings.hops)
    return partial(_graphs, drawn, settings.persons, settings.concepts), fault


def _text(draw: Callable[[np.random.Generator], Question], rng: np.random.Generator) -> Draft:
    question = draw(rng)
    return Draft(mark_of(question), lambda _: [question])


def _graphs(
    draw: Callable[[np.random.Generator], tuple[Graph, ...]],
    persons: int,
    concepts: int,
    rng: np.random.Generator,
) -> Draft | None:
    drawn = draw(rng)
    if not drawn:
        return None

    def write(rng: np.random.Generator) -> list[Question]:
        try:
            named = graphs.name(drawn, rng, persons, concepts)
        except ValueError as error:
            raise StudyError(f"questions.persons, questions.concepts: {error}; use more") from error
        return ask(named, rng)

    return Draft(graphs.fingerprint(drawn[0]), write)


def mark_of(question: Question) -> str:
    """What no two questions of a data set share."""
    return graphs.fingerprint(question.graph) if question.graph else question.question


def make(settings: Generator, size: int, rng: np.random.Generator, seen: set[str]) -> list[Question]:
    """`size` proved questions whose marks are not in `seen`, to which theirs are added.

    Raises StudyError when the generator cannot make (enough different) questions.
    """
    draw, prove = generator(settings)
    made: list[Question] = []
    discarded = 0
    while len(made) < size:
        draft = draw(rng)
        if draft is not None and draft.mark not in seen:
            discarded = 0
            seen.add(draft.mark)
            made += [_proved(question, prove) for question in draft.write(rng)]
            continue
        discarded += 1
        if discarded == TRIES:
            raise StudyError(
                f"questions: {TRIES} tries in a row gave nothing new after {len(seen)}; ask for fewer "
                "questions, or for ones of more kinds (more nodes, fewer edges, other hops or steps)"
            )
    return made[:size]


def _proved(question: Question, prove: Prove) -> Question:
    if wrong := prove(question):
        raise AssertionError(f"the generator made an unfit question ({wrong}): {question}")
    return question


def generate(settings: Generator) -> Splits:
    """The three splits, drawn in one piece."""
    rng, seen = stream("questions", settings.seed), set[str]()
    # Test and validation questions are drawn first: more training questions leave them as they are.
    splits = {name: make(settings, getattr(settings.sizes, name), rng, seen) for name in SPLITS[::-1]}
    return {name: splits[name] for name in SPLITS}


# ---------------------------------------------------------------------------------------------- shards


def draw_shard(settings: Generator, shard: int) -> list[Question]:
    """The part of a data set that one of its shards draws; parts may share a few questions."""
    wanted = ceil(sum(settings.sizes.model_dump().values()) / settings.shards)
    return make(settings, wanted + wanted % 2, stream("questions", settings.seed, shard), set())


def gather(settings: Generator, shards: Sequence[Sequence[Question]]) -> Splits:
    """The three splits of a data set from its shards; what two shards share is replaced by new questions."""
    seen = set[str]()
    found = [question for shard in shards for question in _unseen(shard, seen)]
    sizes = {name: getattr(settings.sizes, name) for name in SPLITS[::-1]}
    lacking = max(sum(sizes.values()) - len(found), 0)
    found += make(settings, lacking, stream("questions", settings.seed, settings.shards), seen)
    taken = iter(found)
    splits = {name: [next(taken) for _ in range(size)] for name, size in sizes.items()}
    return {name: splits[name] for name in SPLITS}


def _unseen(shard: Sequence[Question], seen: set[str]) -> Iterator[Question]:
    """Questions whose mark no earlier shard has; mirror questions have one mark and stay together."""
    for mark, alike in groupby(shard, key=mark_of):
        if mark not in seen:
            seen.add(mark)
            yield from alike


# --------------------------------------------------------------------------------------- files and hub


def load(settings: Files | Hub) -> Splits:
    """The three splits of a data set that exists already, checked by count and sha256 where stated.

    No question of valid or test stands there twice or in another split, but for `repeats` of them.
    """
    if isinstance(settings, Hub):
        splits = {name: _from_hub(settings, name) for name in SPLITS}
    else:
        splits = {name: _from_file(settings, name) for name in SPLITS}
    if len(again := _repeated(splits)) > settings.repeats:
        name, number, other = again[0]
        raise StudyError(
            f"{_called(settings, name)}: question {number} of {name} is one of {other} too, and so are "
            f"{len(again)} in all; take them out, or allow them with repeats: {len(again)}"
        )
    return splits


def _repeated(splits: Splits) -> list[tuple[str, int, str]]:
    """Split and number of questions that stood there before, and in which; train alone may repeat itself."""
    found = []
    seen: dict[str, str] = {}
    for name in SPLITS[::-1]:
        for number, question in enumerate(splits[name]):
            if (before := seen.get(question.question)) not in (None, "train"):
                found.append((name, number, str(before)))
            seen.setdefault(question.question, name)
    return found


def _called(settings: Files | Hub, name: str) -> str:
    """What a split is read from."""
    split = getattr(settings, name)
    return split.path if isinstance(settings, Files) else f"{settings.path}, split {split.split}"


def _from_file(settings: Files, name: str) -> list[Question]:
    file = getattr(settings, name)
    path = Path(file.path)
    if file.sha256 and path.is_file() and (found := sha256(path.read_bytes()).hexdigest()) != file.sha256:
        raise StudyError(f"{path}: sha256 is {found}, the study expects {file.sha256}")
    rows = formats.read(path)
    if file.rows is not None:
        start, stop = file.rows
        if stop > len(rows):
            raise StudyError(f"{path}: has {len(rows)} rows, the study takes {start} to {stop}")
        rows = rows[start:stop]
    return _counted(_called(settings, name), rows, file.count)


def _from_hub(settings: Hub, name: str) -> list[Question]:
    split = getattr(settings, name)
    rows = formats.from_hub(settings.path, split.split, settings.revision)
    return _counted(_called(settings, name), rows, split.count)


def _counted(name: str, rows: list[Question], count: int | None) -> list[Question]:
    if count is not None and len(rows) != count:
        raise StudyError(f"{name}: {len(rows)} questions, the study expects {count}")
    return rows
