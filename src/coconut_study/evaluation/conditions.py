"""Which thoughts of a run are replaced, by what, and how: the conditions of the interventions.

Conditions are the same for every question. Pure functions of the kind and the number of thoughts.
"""

from __future__ import annotations

from itertools import product
from typing import Literal, NamedTuple

from coconut_study.evaluation.settings import Battery
from coconut_study.sequences.methods import Layout

Content = Literal[
    "own",
    "mirror",
    "twin",
    "same answer",
    "other answer",
    "random",
    "given",
    "mean",
    "noise",
    "zero",
    "pause",
    "removed",
]
Part = Literal["input", "both", "keys", "values", "steps"]
Later = Literal["recomputed", "kept"]

FROM_QUESTIONS: tuple[Content, ...] = ("own", "mirror", "twin", "same answer", "other answer", "random")
MADE: tuple[Content, ...] = ("mean", "noise", "zero", "pause", "removed")
CONTENTS: tuple[Content, ...] = (*FROM_QUESTIONS, *MADE)
STEPS: tuple[Content, ...] = (*FROM_QUESTIONS, "removed")
NECESSITY: tuple[Content, ...] = ("own", "mean", "removed")
PLACED: tuple[Content, ...] = ("mirror", "twin", "same answer", "mean")  # at each place, in the short battery
CACHED: tuple[Content, ...] = ("mirror", "same answer")  # keys or values only, in the short battery


class Condition(NamedTuple):
    """Thoughts that are replaced, by what, in which part, and what becomes of later thoughts.

    `thoughts` is a name of `places`, or "root" for the prompt with the mirror's root in place of its own.
    `later` is "kept" if there are none.
    """

    thoughts: str
    content: Content
    part: Part
    later: Later


def kind_of(layout: Layout) -> Literal["continuous", "pause", "steps"] | None:
    """What a method has that can be replaced: thoughts (also soft ones), pauses, or written steps; None if it
    has none of these."""
    if layout.kind == "none":
        return "steps" if layout.hidden == 0 and not layout.removed else None
    if not layout.thoughts or layout.kind == "loops":
        return None
    return "pause" if layout.kind == "pause" else "continuous"


def places(k: int) -> dict[str, tuple[int, ...]]:
    """The thoughts that are replaced together, numbered from 0, by name: of k thoughts each single one, the
    last, all but the last, and all; a set with two names has the later one."""
    names = {thoughts: name for name, thoughts in _named(k).items() if thoughts}
    return {name: thoughts for thoughts, name in names.items()}


def _named(k: int) -> dict[str, tuple[int, ...]]:
    """All names of sets of k thoughts."""
    every = tuple(range(k))
    return {str(j + 1): (j,) for j in every} | {"all but last": every[:-1], "last": every[-1:], "all": every}


def conditions(layout: Layout, battery: Battery) -> list[Condition]:
    """The conditions for a method that ends its training with a layout; ValueError if it has nothing to
    replace."""
    kind = kind_of(layout)
    if kind is None:
        raise ValueError("a method without thoughts and without written steps has nothing to replace")
    if kind == "steps":
        contents = tuple(c for c in NECESSITY if c in STEPS) if battery == "necessity" else STEPS
        return [Condition("all", content, "steps", "kept") for content in contents]
    whole: Part = "input" if kind == "continuous" else "both"
    if battery == "necessity":
        return [Condition("all", content, whole, "kept") for content in NECESSITY]
    found = _all_conditions(layout.thoughts, whole)
    if layout.iterations is not None:  # later thoughts are computed together with the one that is replaced
        found = [c for c in found if c.part == "input" or c.later == "kept"]
    return found if battery == "full" else [c for c in found if _is_short(c, whole)]


def condition_of(
    layout: Layout, content: Content, thoughts: str, part: Part | None, later: Later
) -> Condition:
    """The condition of the full battery in which a content takes the place of thoughts.

    The content may be "given", and thoughts have any of their names; part None is all that can be replaced.
    ValueError if there is none.
    """
    kind = kind_of(layout)
    if kind is None:
        raise ValueError("has neither thoughts nor written steps to replace")
    if kind == "steps":
        found = Condition(thoughts, content, part or "steps", "kept")
    else:
        replaced = _named(layout.thoughts).get(thoughts)
        if not replaced:
            raise ValueError(f"has {layout.thoughts} thoughts, and none of them is {thoughts}")
        name = next(name for name, same in places(layout.thoughts).items() if same == replaced)
        last = replaced[-1] == layout.thoughts - 1
        whole: Part = "input" if kind == "continuous" else "both"
        found = Condition(name, content, part or whole, "kept" if last else later)
    alike = found._replace(content="random") if content == "given" else found
    if alike not in conditions(layout, "full"):
        what = "steps" if kind == "steps" else f"{found.part} of thoughts {thoughts}, with later ones {later}"
        raise ValueError(f"has no way to replace {what}, by {content}")
    return found


def _all_conditions(k: int, whole: Part) -> list[Condition]:
    """Every condition that differs from the others."""
    found = [Condition("root", "mirror", "input", later) for later in ("kept", "recomputed")]
    for (name, thoughts), content in product(places(k).items(), CONTENTS):
        for part in ("input", "both", "keys", "values"):
            fits = part != "input" or whole == "input"
            if content in ("pause", "removed"):
                fits = part == (whole if content == "removed" else "input") and fits
            alike = thoughts[-1] == k - 1 or (
                content == "removed" and whole == "both"
            )  # nothing is carried on
            laters = ("kept",) if alike else ("kept", "recomputed")
            found += [Condition(name, content, part, later) for later in laters if fits]  # type: ignore[arg-type]
    return found


def _is_short(condition: Condition, whole: Part) -> bool:
    """Whether a condition is part of the short battery."""
    if condition.thoughts == "root":
        return True
    if condition.part != whole:
        return condition.thoughts == "all" and condition.content in CACHED
    return condition.thoughts == "all" or condition.content in PLACED
