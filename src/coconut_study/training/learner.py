"""A model and its optimizer, one update at a time. Pretraining and every stage use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim import AdamW
from transformers import PreTrainedModel

from coconut_study.common.errors import StudyError
from coconut_study.common.seeds import torch_seed
from coconut_study.engine import forward
from coconut_study.engine.batches import Batch
from coconut_study.training import distributed
from coconut_study.training.settings import Optimization

STATE = "optimizer.safetensors"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")
DROPOUT: dict[str, Any] = {"cpu": torch, "cuda": torch.cuda}  # modules with the random state of dropout


class Learner:
    """Updates the trainable parameters of `model` with AdamW, on the device and in the precision that
    accelerate is configured for.

    Several processes (one per GPU) see the same batches, each works on its share, and gradients are summed,
    so that they learn what one process would (see `distributed`). `thought_weight` is the weight of the loss
    on thoughts, in batches that have one.
    """

    def __init__(self, model: PreTrainedModel, settings: Optimization, thought_weight: float = 0.0) -> None:
        self.settings, self.thought_weight = settings, thought_weight
        cpu = not torch.accelerator.is_available()  # given explicitly, several processes use gloo
        mixed = settings.precision.replace("tf32", "no")
        self.accelerator = Accelerator(mixed_precision=mixed, cpu=cpu)
        torch.set_float32_matmul_precision("high" if settings.precision == "tf32" else "highest")
        self.processes = distributed.Processes(self.accelerator, sharded=settings.sharding == "full")
        if self.processes.sharded:
            distributed.shard(model, self.accelerator.device, self.processes.count)
        # Not prepared by accelerate: the engine calls parts of the model, and gradients are summed here.
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
        """Clear the state of the optimizer."""
        self.optimizer.state.clear()

    def update(self, batches: Sequence[Batch], rate: float) -> Tensor:
        """Make one update at learning rate `rate`; return (2,): the cross-entropy summed over all predicted
        tokens (nats), and the sum of the norms of all thoughts.

        The gradient is that of the mean over all predicted tokens, however `batches` are split; if thoughts
        have to predict something, plus `thought_weight` x the mean over these thoughts, which is not in the
        returned sums.
        """
        n_tokens = sum(len(batch.target_N) for batch in batches)
        n_thoughts = sum(batch.supervised.n_thoughts for batch in batches if batch.supervised)
        total = torch.zeros(2, device=self.accelerator.device)
        for batch in self.processes.share_batches(batches):
            total = total + self._accumulate(batch, n_tokens, n_thoughts)
        total = self.processes.sum_update(self.learning.values(), total)
        if self.settings.clip is not None:
            self.accelerator.clip_grad_norm_(self.learning.values(), self.settings.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad()
        return total

    def _accumulate(self, batch: Batch, n_tokens: int, n_thoughts: int) -> Tensor:
        """Add the gradient of a batch; return its sums (2,), of cross-entropy and of thought norms."""
        try:
            with self.accelerator.autocast():
                batch = batch.to(self.accelerator.device)
                hidden_BTD = forward.hidden_states(self.model, batch, batch.first_read)
                loss = forward.loss_sum(self.model, batch, hidden_BTD)
                objective = loss / n_tokens
                if batch.supervised is not None:
                    thoughts = forward.thought_loss_sum(self.model, batch, hidden_BTD)
                    objective = objective + self.thought_weight * thoughts / n_thoughts
            self.accelerator.backward(objective)
        except torch.OutOfMemoryError as error:
            if self.processes.count > 1:  # the other processes wait for this one
                raise StudyError("out of memory: set a smaller training.micro_batch_size") from error
            raise
        return torch.stack([loss.detach(), forward.thought_norms(batch, hidden_BTD)])

    @contextmanager
    def training(self, *numbers: int, dropout: Mapping[str, Tensor] | None = None) -> Iterator[None]:
        """Training mode with a dropout stream of its own for `numbers` and this process.

        `dropout` are RNG states to continue from, as `load_state` returns them.
        """
        self.model.train()
        process = [self.processes.index] if self.processes.index else []
        with torch.random.fork_rng():
            torch.manual_seed(torch_seed("dropout", *numbers, *process))
            for name, state in (dropout or {}).items():
                DROPOUT[name].set_rng_state(state)
            yield

    # ------------------------------------------------------------------------------------------- weights

    def weights(self) -> dict[str, Tensor]:
        """A copy of the trainable parameters."""
        return {name: p.detach().clone() for name, p in self.learning.items()}

    def restore(self, weights: Mapping[str, Tensor]) -> None:
        """Set trainable parameters to `weights`."""
        with torch.no_grad():
            for name, value in weights.items():
                self.learning[name].copy_(value)

    def gather(self, *, optimizer: bool) -> None:
        """Make a sharded model, and with `optimizer` its AdamW state, whole on the main process for saving.

        All processes must call it, and nothing can be learned afterwards.
        """
        if not self.processes.sharded:
            return
        distributed.gather(self.model, keep=self.processes.is_main)
        for state in self.optimizer.state.values() if optimizer else ():
            state.update({key: distributed.gathered(value) for key, value in state.items()})

    # --------------------------------------------------------------------------------------------- state

    def save(self, folder: Path) -> None:
        """Write the state of the optimizer into a folder."""
        save_file(self._moments(), folder / STATE)

    def load(self, folder: Path) -> None:
        """Load the state of the optimizer from a folder that has one."""
        if (folder / STATE).is_file():
            self._load_moments(load_file(folder / STATE), distributed.sharded_like)

    def state(self) -> dict[str, Tensor]:
        """All tensors of this process that later updates depend on: weights, optimizer and dropout RNG."""
        devices = ["cpu"] + ["cuda"] * (self.accelerator.device.type == "cuda")
        return {
            **{f"weights.{name}": distributed.own(p) for name, p in self.learning.items()},
            **{f"optimizer.{name}": distributed.own(value) for name, value in self._moments().items()},
            **{f"dropout.{name}": DROPOUT[name].get_rng_state() for name in devices},
        }

    def load_state(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Load weights and optimizer; return the dropout RNG states for `training`."""
        self.restore(self.with_prefix(tensors, "weights."))
        self._load_moments(_with_prefix(tensors, "optimizer."), distributed.from_own)
        return _with_prefix(tensors, "dropout.")

    def with_prefix(self, tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
        """Tensors stored under `prefix`, keyed by parameter name and sharded like it; empty if there are
        none."""
        return {
            name: distributed.from_own(self.learning[name], value)
            for name, value in _with_prefix(tensors, prefix).items()
        }

    def _moments(self) -> dict[str, Tensor]:
        """The state of the optimizer, keyed by parameter name and moment."""
        names, state = list(self.learning), self.optimizer.state_dict()["state"]
        return {f"{names[i]}.{key}": value for i, values in state.items() for key, value in values.items()}

    def _load_moments(self, saved: Mapping[str, Tensor], place: Callable[[Tensor, Tensor], Tensor]) -> None:
        """Load what `_moments` returned; `place` shards a tensor like a parameter."""
        state = self.optimizer.state_dict()
        state["state"] = {
            i: {key: place(p, saved[f"{name}.{key}"]) for key in MOMENTS}
            for i, (name, p) in enumerate(self.learning.items())
            if f"{name}.{MOMENTS[0]}" in saved
        }
        self.optimizer.load_state_dict(state)


def _with_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
