"""Random streams, one for each purpose: one more draw for a purpose changes no draw for another."""

from __future__ import annotations

from zlib import crc32

import numpy as np


def stream(purpose: str, *numbers: int) -> np.random.Generator:
    """The generator for `purpose` and `numbers` (a seed, a stage, an epoch, ...)."""
    return np.random.default_rng([crc32(purpose.encode()), *numbers])


def torch_seed(purpose: str, *numbers: int) -> int:
    """A seed for a torch generator: the first draw of the stream for `purpose` and `numbers`."""
    return int(stream(purpose, *numbers).integers(2**63))
