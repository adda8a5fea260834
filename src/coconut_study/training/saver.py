"""States of unfinished training: saved whole, checked, and read back."""

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
from coconut_study.common.files import whole
from coconut_study.common.progress import say

GENERATIONS = 2
ECHO = 5.0  # seconds in which a second signal is the first one again


class Saver:
    """Keeps the last states of a long computation, the newest and the one before.

    In its block SIGTERM and SIGINT only set `stopped`, so that the computation can save its state first; a
    later one ends the process at once. (torchrun hands on a signal that its workers have had already.)
    """

    def __init__(self, folder: Path, minutes: float, process: int = 0) -> None:
        self.folder, self.minutes, self.process = folder, minutes, process
        self.number = 0
        self.last = monotonic()
        self.stopped: str | None = None
        self.told = 0.0

    def __enter__(self) -> Saver:
        self._before = {number: signal.signal(number, self._stop) for number in (SIGTERM, SIGINT)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, _: FrameType | None) -> None:
        if self.stopped is None:
            self.stopped, self.told = signal.Signals(number).name, monotonic()
            say(f"{self.stopped}: saving the state")
        elif monotonic() - self.told > ECHO:
            self.__exit__()
            os.kill(os.getpid(), number)

    def due(self) -> bool:
        """Whether the last state is old enough for another."""
        return monotonic() - self.last >= 60 * self.minutes

    def save(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Keep a state. Where the disk is full the states before stay, and a line says so."""
        self.number += 1
        said = json.dumps({"number": self.number, **facts})
        held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        try:
            with whole(self._path(self.number)) as part:
                save_file(held, part, {"facts": said, "checksum": _checksum(held, said)})
                _flush(part)
        except (OSError, SafetensorError) as error:
            say(f"the state could not be saved, and the one before is kept ({error})")
        self.last = monotonic()

    def numbers(self) -> list[int]:
        """The sound states that there are, oldest first; what is damaged is named and removed."""
        return sorted(facts["number"] for facts, _ in self._sound())

    def load(self, number: int) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """A state that there is."""
        self.number = number
        return next((tensors, facts) for facts, tensors in self._sound() if facts["number"] == number)

    def _path(self, number: int) -> Path:
        return self.folder / f"process{self.process}-state{number % GENERATIONS}.safetensors"

    def _sound(self) -> Iterator[tuple[dict[str, Any], dict[str, Tensor]]]:
        for path in map(self._path, range(GENERATIONS)):
            if path.exists():
                try:
                    yield _read(path)
                except StudyError as error:
                    say(f"{error}; it is removed, and an older state used if there is one")
                    path.unlink()


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise StudyError(f"{path}: this state is damaged ({error})") from error
    said = metadata.get("facts", "")
    if metadata.get("checksum") != _checksum(tensors, said):
        raise StudyError(f"{path}: this state is damaged (its checksum differs)")
    return json.loads(said), tensors


def _checksum(tensors: Mapping[str, Tensor], said: str) -> str:
    digest = sha256(said.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _flush(path: Path) -> None:
    """Have a file on the disk before it gets its name."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
