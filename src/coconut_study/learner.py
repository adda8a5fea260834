"""A model and its optimizer, one update at a time: what base pretraining and every stage have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file
from torch.optim import AdamW
from transformers import PreTrainedModel

from coconut_study import model as engine
from coconut_study.batches import Batch
from coconut_study.settings import Optimization
from coconut_study.streams import torch_seed

STATE = "optimizer.safetensors"

T = TypeVar("T")


class Learner:
    """Updates what may learn in `model` by AdamW, on whatever device and in whatever precision accelerate
    is told to use.

    Several processes (one a GPU) have the same model and see the same batches; each works on its share and
    the gradients are summed, so that they learn what one process learns.
    """

    def __init__(self, model: PreTrainedModel, settings: Optimization) -> None:
        self.settings = settings
        cpu = not torch.accelerator.is_available()  # said, several processes talk through gloo
        mixed = settings.precision.replace("tf32", "no")
        self.accelerator = Accelerator(mixed_precision=mixed, cpu=cpu)
        torch.set_float32_matmul_precision("high" if settings.precision == "tf32" else "highest")
        # Not prepared by accelerate: the engine calls parts of the model, whose gradients are summed here.
        self.model = model.to(self.accelerator.device)
        self.learning = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        self.optimizer: AdamW = self.accelerator.prepare(
            AdamW(
                list(self.learning.values()),
                lr=settings.learning_rate,
                betas=settings.betas,
                weight_decay=settings.weight_decay,
                fused=True,
            )
        )

    def reset(self) -> None:
        """Forget the state of the optimizer."""
        self.optimizer.state.clear()

    def update(self, batches: Sequence[Batch], rate: float) -> torch.Tensor:
        """One update at a learning rate; the cross-entropy summed over all predicted tokens.

        The gradient is that of the mean over all predicted tokens of `batches`, however they are split.
        """
        n_tokens = sum(len(batch.target_N) for batch in batches)
        total = torch.zeros((), device=self.accelerator.device)
        for batch in self.share(batches):
            with self.accelerator.autocast():
                loss = engine.loss_sum(self.model, batch.to(self.accelerator.device))
            self.accelerator.backward(loss / n_tokens)
            total = total + loss.detach()
        if self.accelerator.num_processes > 1:
            total = self._summed(total)
        if self.settings.clip is not None:
            self.accelerator.clip_grad_norm_(self.learning.values(), self.settings.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad()
        return total

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """What of `items` falls to this process; together the processes have all of them."""
        return items[self.accelerator.process_index :: self.accelerator.num_processes]

    def total(self, count: int) -> int:
        """The sum of a count over all processes."""
        if self.accelerator.num_processes == 1:
            return count
        own = torch.tensor(count, device=self.accelerator.device)
        return int(self.accelerator.reduce(own, reduction="sum"))

    def _summed(self, total: torch.Tensor) -> torch.Tensor:
        """Sum the gradients of all processes, and the loss."""
        for parameter in self.learning.values():
            own = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            parameter.grad = self.accelerator.reduce(own, reduction="sum")
        return self.accelerator.reduce(total, reduction="sum")

    @contextmanager
    def training(self, *numbers: int) -> Iterator[None]:
        """Training mode, with the dropout stream that belongs to `numbers` and to this process."""
        self.model.train()
        own = [self.accelerator.process_index] if self.accelerator.process_index else []
        with torch.random.fork_rng():
            torch.manual_seed(torch_seed("dropout", *numbers, *own))
            yield

    def weights(self) -> dict[str, torch.Tensor]:
        """A copy of all that learns."""
        return {name: p.detach().clone() for name, p in self.learning.items()}

    def restore(self, weights: dict[str, torch.Tensor]) -> None:
        """Go back to such a copy."""
        with torch.no_grad():
            for name, value in weights.items():
                self.learning[name].copy_(value)

    # ------------------------------------------------------------------------------ state, without pickle

    def save(self, folder: Path) -> None:
        """Leave the optimizer's state in a folder."""
        names = list(self.learning)
        state = self.optimizer.state_dict()["state"]
        flat = {f"{names[i]}.{key}": value for i, values in state.items() for key, value in values.items()}
        save_file(flat, folder / STATE)

    def load(self, folder: Path) -> None:
        """Go on with the state left in a folder, if there is one."""
        if not (folder / STATE).is_file():
            return
        saved = load_file(folder / STATE)
        state = self.optimizer.state_dict()
        state["state"] = {
            i: {key: saved[f"{name}.{key}"] for key in ("step", "exp_avg", "exp_avg_sq")}
            for i, name in enumerate(self.learning)
        }
        self.optimizer.load_state_dict(state)


def rate(step: int, steps: int, settings: Optimization, warmup: int, decay: int) -> float:
    """Learning rate at an update of a run of `steps`: linear warm-up, constant, linear decay."""
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    fall = min(1.0, max(steps - step, 1) / decay) if decay else 1.0
    return settings.learning_rate * rise * fall
