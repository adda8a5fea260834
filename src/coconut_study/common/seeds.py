"""Random streams: one for each purpose, so that one more draw in one place moves nothing elsewhere."""

from __future__ import annotations

from zlib import crc32

import numpy as np


def stream(purpose: str, *numbers: int) -> np.random.Generator:
    """The generator that belongs to `purpose` and `numbers` (a seed, a stage, an epoch, ...)."""
    return np.random.default_rng([crc32(purpose.encode()), *numbers])


def torch_seed(purpose: str, *numbers: int) -> int:
    """A seed for a torch generator, drawn from the stream of `purpose`."""
    return int(stream(purpose, *numbers).integers(2**63))
