"""Questions that are only asked, made from the test questions of another data set of the study."""

from __future__ import annotations

from collections.abc import Sequence

from coconut_study.common.errors import StudyError
from coconut_study.common.seeds import stream
from coconut_study.questions import rewrites, shortcuts
from coconut_study.questions.question import Question
from coconut_study.questions.settings import Rewrites, Subset


def derive(settings: Subset | Rewrites, questions: Sequence[Question]) -> list[Question]:
    """The questions made from `questions`, in their order; StudyError if there are none."""
    made = (
        _subset(settings, questions)
        if isinstance(settings, Subset)
        else rewrites.pairs(questions, stream("rewrites", settings.seed))
    )
    if not made:
        raise StudyError(
            f"questions: source: {settings.source} leaves none of the {len(questions)} test questions of "
            f"{settings.of}; give it more, or other settings"
        )
    return made


def _subset(settings: Subset, questions: Sequence[Question]) -> list[Question]:
    rule, points = shortcuts.RULES[settings.rule], float(settings.right)
    graphs = [(question, question.graph) for question in questions if question.graph is not None]
    return [question for question, graph in graphs if rule(graph, graph.digraph) == points]
