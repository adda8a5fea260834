"""How much of a written chain iCoT has removed at an update (Deng et al. 2024, arXiv 2405.14838). Pure.

The chain shrinks from its left end: `per_epoch` units more in every epoch, one at a time, until nothing is
left or `limit` is reached, from which on all of it goes.
"""

from __future__ import annotations

import math

import numpy as np

from coconut_study.methods import Removal


def scheduled(settings: Removal, epochs: float, longest: int) -> int:
    """Units removed after `epochs` from chains of at most `longest` units; `longest` means all."""
    units = math.floor(epochs * settings.per_epoch + 1e-9)
    beyond = longest if settings.limit is None else min(settings.limit, longest)
    return longest if units >= beyond else units


def smoothed(settings: Removal, units: int, rng: np.random.Generator) -> int:
    """Units that one question loses: o more than scheduled, with P(o) proportional to exp(-smoothing o)."""
    if settings.smoothing is None:
        return units
    return units + int(rng.geometric(1 - math.exp(-settings.smoothing))) - 1
