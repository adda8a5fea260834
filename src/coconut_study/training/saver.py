"""States of unfinished training: saved completely, checked when read."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from signal import SIGINT, SIGTERM
from time import monotonic
from types import FrameType
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from coconut_study.common.errors import StudyError
from coconut_study.common.files import written_path
from coconut_study.common.progress import say

GENERATIONS = 2  # states that are kept
SAME_SIGNAL = 5.0  # seconds within which a second signal counts as the first: torchrun sends it again


class Saver:
    """Saves states of this process into `folder`, and keeps the newest and the one before.

    Used as a context manager, the first SIGTERM or SIGINT only sets `stopped` to its name, so that the job
    can save its state first; a later one ends the process at once.
    """

    def __init__(self, folder: Path, minutes: float, process: int = 0) -> None:
        self.folder, self.minutes, self.process = folder, minutes, process
        self.number = 0
        self.last = monotonic()
        self.stopped: str | None = None
        self.stopped_at = 0.0

    def __enter__(self) -> Saver:
        self._handlers = {number: signal.signal(number, self._stop) for number in (SIGTERM, SIGINT)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _stop(self, number: int, _: FrameType | None) -> None:
        if self.stopped is None:
            self.stopped, self.stopped_at = signal.Signals(number).name, monotonic()
            say(f"{self.stopped}: the job ends after this batch")
        elif monotonic() - self.stopped_at > SAME_SIGNAL:
            self.__exit__()
            os.kill(os.getpid(), number)

    def due(self) -> bool:
        """True if the last state is at least `minutes` old."""
        return monotonic() - self.last >= 60 * self.minutes

    def save(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Save a state: tensors and JSON values. If the disk is full, say so and keep the older states."""
        self.number += 1
        text = json.dumps({"number": self.number, **facts})
        on_host = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        try:
            with written_path(self._path(self.number)) as path:
                save_file(on_host, path, {"facts": text, "checksum": _checksum(on_host, text)})
        except OSError as error:
            say(f"{error.filename}: the state cannot be saved, and the one before is kept ({error.strerror})")
        self.last = monotonic()

    def numbers(self) -> list[int]:
        """Numbers of the intact states, oldest first; damaged ones are reported and removed."""
        return sorted(facts["number"] for _, facts in self._intact())

    def load(self, number: int) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The tensors and JSON values of a state, by a number from `numbers`."""
        self.number = number
        return next((tensors, facts) for tensors, facts in self._intact() if facts["number"] == number)

    def _path(self, number: int) -> Path:
        return self.folder / f"process{self.process}-state{number % GENERATIONS}.safetensors"

    def _intact(self) -> Iterator[tuple[dict[str, Tensor], dict[str, Any]]]:
        for path in map(self._path, range(GENERATIONS)):
            if path.exists():
                try:
                    yield _read(path)
                except StudyError as error:
                    say(f"{error}; it is removed, and an older state is used if there is one")
                    path.unlink()


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise StudyError(f"{path}: this state is damaged ({error})") from error
    text = metadata.get("facts", "")
    if metadata.get("checksum") != _checksum(tensors, text):
        raise StudyError(f"{path}: this state is damaged (its checksum differs)")
    return tensors, json.loads(text)


def _checksum(tensors: Mapping[str, Tensor], text: str) -> str:
    digest = sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
