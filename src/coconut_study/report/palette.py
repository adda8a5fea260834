"""The colours of figures, by what they stand for. Nothing else in the project chooses a colour.

A colour here is a place in the colour cycle of `coconut.mplstyle` and of its dark twin, so that one figure
can be drawn on light and on dark pages. Checked for normal vision and for protanopia, deuteranopia and
tritanopia: the roles differ from each other, and right outcomes from wrong ones, in lightness and in hue.
"""

from __future__ import annotations

from collections.abc import Mapping

from coconut_study.evaluation.outcomes import Outcome

THOUGHTS, THOUGHTS_TINT, THOUGHTS_PALE = "C0", "C1", "C2"  # continuous thoughts; lighter for k and variants
WRITTEN = "C3"  # written steps, kept or removed one by one
CONTROL = "C4"  # no content in place of the steps; rows tell controls apart, never colours
INK, SECONDARY, RULE, PAPER = "C5", "C6", "C7", "C8"  # text, labels, lines, the page itself
ZONE, ZONE_EDGE, ZONE_TEXT = "C9", "C10", "C11"  # right without planning, the interval of that, words on it

ROLES: Mapping[str, str] = {"thoughts": THOUGHTS, "written": WRITTEN, "control": CONTROL}

OUTCOMES: Mapping[str, str] = {  # blue for right answers, warm for wrong ones
    Outcome.CORRECT_LABEL: "C12",
    Outcome.CORRECT_PATH: "C13",
    Outcome.LONGER_PATH: "C14",
    Outcome.WRONG_TARGET: "C15",
    Outcome.HALLUCINATION: "C16",
    Outcome.INCORRECT_LABEL: "C17",
}
ON: Mapping[str, str] = {  # numbers on these colours: white on dark ones
    outcome: "C18" if outcome in (Outcome.CORRECT_LABEL, Outcome.INCORRECT_LABEL) else "C19"
    for outcome in Outcome
}
