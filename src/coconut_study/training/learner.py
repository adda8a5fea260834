"""A model and its optimizer, one update at a time: what base pretraining and every stage have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file
from torch.optim import AdamW
from transformers import PreTrainedModel

from coconut_study.common.errors import StudyError
from coconut_study.common.seeds import torch_seed
from coconut_study.engine import forward as engine
from coconut_study.engine.batches import Batch
from coconut_study.training import distributed
from coconut_study.training.settings import Optimization

STATE = "optimizer.safetensors"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")
DROPOUT: dict[str, Any] = {"cpu": torch, "cuda": torch.cuda}  # whose streams dropout draws from

T = TypeVar("T")


class Learner:
    """Updates what may learn in `model` by AdamW, on whatever device and in whatever precision accelerate
    is told to use.

    Several processes (one a GPU) have the same model and see the same batches; each works on its share and
    the gradients are summed, so that they learn what one process learns. Where the settings say so they
    hold the model in shards.
    """

    def __init__(self, model: PreTrainedModel, settings: Optimization) -> None:
        self.settings = settings
        cpu = not torch.accelerator.is_available()  # said, several processes talk through gloo
        mixed = settings.precision.replace("tf32", "no")
        self.accelerator = Accelerator(mixed_precision=mixed, cpu=cpu)
        torch.set_float32_matmul_precision("high" if settings.precision == "tf32" else "highest")
        self.sharded = settings.sharding == "full" and self.accelerator.num_processes > 1
        if self.sharded:
            distributed.shard(model, self.accelerator.device, self.accelerator.num_processes)
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
        """One update at a learning rate; (2,): the cross-entropy summed over all predicted tokens, and the
        norms of all thoughts.

        The gradient is that of the mean over all predicted tokens of `batches`, however they are split.
        """
        n_tokens = sum(len(batch.target_N) for batch in batches)
        total = torch.zeros(2, device=self.accelerator.device)
        for batch in self._own(batches):
            try:
                with self.accelerator.autocast():
                    batch = batch.to(self.accelerator.device)
                    hidden_BTD = engine.hidden_states(self.model, batch)
                    loss = engine.loss_sum(self.model, batch, hidden_BTD)
                self.accelerator.backward(loss / n_tokens)
            except torch.OutOfMemoryError as error:
                if self.accelerator.num_processes > 1:  # the others wait for this one's part
                    raise StudyError("out of memory: set a smaller training.micro_batch_size") from error
                raise
            total = total + torch.stack([loss.detach(), engine.thought_norms(batch, hidden_BTD)])
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
        """What of `items` falls to this process; together the processes have all of them. Where the model is
        sharded each has all of them."""
        index, n = self.accelerator.process_index, self.accelerator.num_processes
        return items if self.sharded else items[index::n]

    def total(self, count: int) -> int:
        """The sum of a count over the shares of all processes."""
        if self.accelerator.num_processes == 1 or self.sharded:
            return count
        own = torch.tensor(count, device=self.accelerator.device)
        return int(self.accelerator.reduce(own, reduction="sum"))

    def summed(self, number: float) -> float:
        """The sum of a number over all processes."""
        if self.accelerator.num_processes == 1:
            return number
        own = torch.tensor(number, device=self.accelerator.device)
        return float(self.accelerator.reduce(own, reduction="sum"))

    def _own(self, batches: Sequence[Batch]) -> Sequence[Batch]:
        """The batches of this process, or its rows of each batch where the model is sharded."""
        index, n = self.accelerator.process_index, self.accelerator.num_processes
        return (
            [distributed.rows(batch, index, n) for batch in batches] if self.sharded else self.share(batches)
        )

    def _summed(self, total: torch.Tensor) -> torch.Tensor:
        """Sum the gradients of all processes, which a sharded model has done, and the loss."""
        for parameter in () if self.sharded else self.learning.values():
            own = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            parameter.grad = self.accelerator.reduce(own, reduction="sum")
        return self.accelerator.reduce(total, reduction="sum")

    def agreed(self, flag: bool) -> bool:
        """Whether any process says so."""
        return -self.least(-int(flag)) == 1

    def least(self, number: int) -> int:
        """The least of the numbers that the processes have."""
        if self.accelerator.num_processes == 1:
            return number
        return int(self.accelerator.gather(torch.tensor([number], device=self.accelerator.device)).min())

    @contextmanager
    def training(self, *numbers: int, dropout: Mapping[str, torch.Tensor] | None = None) -> Iterator[None]:
        """Training mode, with the dropout stream that belongs to `numbers` and to this process, from its
        beginning or from where a state left it."""
        self.model.train()
        own = [self.accelerator.process_index] if self.accelerator.process_index else []
        with torch.random.fork_rng():
            torch.manual_seed(torch_seed("dropout", *numbers, *own))
            for name, state in (dropout or {}).items():
                DROPOUT[name].set_rng_state(state)
            yield

    def weights(self) -> dict[str, torch.Tensor]:
        """A copy of all that learns."""
        return {name: p.detach().clone() for name, p in self.learning.items()}

    def restore(self, weights: dict[str, torch.Tensor]) -> None:
        """Go back to such a copy."""
        with torch.no_grad():
            for name, value in weights.items():
                self.learning[name].copy_(value)

    def gather(self, *, optimizer: bool) -> None:
        """Make a sharded model whole in the main process, and the state of the optimizer, to be saved.

        All processes take part; nothing is learned afterwards.
        """
        if not self.sharded:
            return
        distributed.gather(self.model, keep=self.accelerator.is_main_process)
        for state in self.optimizer.state.values() if optimizer else ():
            state.update({key: distributed.gathered(value) for key, value in state.items()})

    # ------------------------------------------------------------------------------ state, without pickle

    def save(self, folder: Path) -> None:
        """Leave the optimizer's state in a folder."""
        save_file(self._moments(), folder / STATE)

    def load(self, folder: Path) -> None:
        """Go on with the state left in a folder, if there is one."""
        if (folder / STATE).is_file():
            self._restore_moments(load_file(folder / STATE), distributed.like)

    def state(self) -> dict[str, torch.Tensor]:
        """All that updates depend on, of this process: weights, the optimizer's, where dropout stands."""
        devices = ["cpu"] + ["cuda"] * (self.accelerator.device.type == "cuda")
        return {
            **{f"weights.{name}": distributed.own(p) for name, p in self.learning.items()},
            **{f"optimizer.{name}": distributed.own(value) for name, value in self._moments().items()},
            **{f"dropout.{name}": DROPOUT[name].get_rng_state() for name in devices},
        }

    def take_up(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Go on with such a state; where dropout stands is for `training`."""
        self.restore(self.among(tensors, "weights."))
        self._restore_moments(_named(tensors, "optimizer."), distributed.placed)
        return _named(tensors, "dropout.")

    def among(self, tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
        """Those of all learning weights with a prefix to their names, where they belong; none or all."""
        return {
            name: distributed.placed(self.learning[name], value)
            for name, value in _named(tensors, prefix).items()
        }

    def _moments(self) -> dict[str, torch.Tensor]:
        names, state = list(self.learning), self.optimizer.state_dict()["state"]
        return {f"{names[i]}.{key}": value for i, values in state.items() for key, value in values.items()}

    def _restore_moments(
        self,
        saved: Mapping[str, torch.Tensor],
        put: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    ) -> None:
        state = self.optimizer.state_dict()
        state["state"] = {
            i: {key: put(p, saved[f"{name}.{key}"]) for key in MOMENTS}
            for i, (name, p) in enumerate(self.learning.items())
            if f"{name}.{MOMENTS[0]}" in saved
        }
        self.optimizer.load_state_dict(state)


def _named(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
