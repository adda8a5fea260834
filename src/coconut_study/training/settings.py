"""Models, optimization and the specification of a training stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from coconut_study.common.settings import Closed, Name, Probability, check_folder, short_id
from coconut_study.evaluation.settings import Responding
from coconut_study.sequences.methods import Layout, Removal, TextSettings


def _configuration(folder: Path) -> dict[str, Any]:
    """The configuration of the model in a folder; ValueError where a folder holds none that can be read."""
    if (folder / "adapter_config.json").is_file():  # adapters alone, which name their model
        return {}
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder}/config.json cannot be read ({error})") from error
    if not isinstance(found, dict):
        raise ValueError(f"{folder}/config.json is not a JSON object")
    if not any(folder.glob("*.safetensors")):
        raise ValueError(f"{folder} holds no *.safetensors; weights in other forms are not read")
    return found


class NewTokens(Closed):
    """First values of the embeddings of <bot>, <eot>, <thought> and <pause> in a pretrained model."""

    init: Literal["copy", "mean", "random"]
    of: Annotated[str | None, Field(description="the token that is copied")] = None

    @model_validator(mode="after")
    def _copy_of_something(self) -> NewTokens:
        if (self.init == "copy") != (self.of is not None):
            raise ValueError("of: names a token with init: copy, and with it alone")
        return self


class Lora(Closed):
    """Low-rank adapters on a frozen model, and the embeddings of the marks (Hu et al. 2021, through peft)."""

    rank: PositiveInt
    alpha: PositiveInt
    dropout: Probability
    targets: Annotated[
        tuple[str, ...] | None, Field(description="layers that get one; null for peft's choice by model")
    ]


class Model(Closed):
    """The base model of a study: loaded from a hub name or folder, or made from a configuration."""

    path: Annotated[Name | None, Field(description="hub name or folder of a causal language model")] = None
    architecture: Annotated[
        dict[str, Any] | None, Field(description="configuration of a new model (model_type, n_layer, ...)")
    ] = None
    tokenizer: Annotated[Name, Field(description="hub name or folder, or `words` for one made from the data")]
    new_tokens: NewTokens
    dtype: Annotated[
        Literal["float32", "bfloat16", "float16"], Field(description="what the weights are kept in")
    ] = "float32"
    lora: Annotated[Lora | None, Field(description="train adapters alone; null trains every weight")] = None
    pretraining: Annotated[
        Pretraining | None, Field(description="what a new model learns before any run; null for nothing")
    ] = None

    @model_validator(mode="after")
    def _one_origin(self) -> Model:
        if (self.path is None) == (self.architecture is None):
            raise ValueError("give either path or architecture")
        if self.architecture is not None and "model_type" not in self.architecture:
            raise ValueError("architecture needs a model_type, for example gpt2")
        if self.path is not None and self.tokenizer == "words":
            raise ValueError("tokenizer: words is for a new model (architecture); a loaded one has its own")
        if self.path is not None and self.pretraining is not None:
            raise ValueError("pretraining: is for a new model (architecture); a loaded one has had its own")
        for name in (self.path, None if self.tokenizer == "words" else self.tokenizer):
            if name is not None:
                check_folder(name)
        if self.folder is not None:
            _configuration(self.folder)
        return self

    @property
    def folder(self) -> Path | None:
        """The folder it is loaded from; None for a new model and for one of the hub."""
        folder = Path(self.path or "").expanduser()
        return folder if self.path is not None and folder.is_dir() else None

    @property
    def positions(self) -> int | None:
        """Positions of a sequence, where the study or a folder says how many."""
        known = _configuration(self.folder) if self.folder else self.architecture or {}
        known = known.get("text_config", known)
        found = known.get("n_positions", known.get("max_position_embeddings"))
        return found if isinstance(found, int) else None


class Basing(Closed):
    """All that determines a base model, but for the questions it is pretrained on."""

    model: Model
    text: TextSettings
    seed: int

    @property
    def id(self) -> str:
        """Eight letters that stand for all of it, used in the name of its folder."""
        return short_id(self)


class Mixing(Closed):
    """Questions shown as in another stage, so that the model keeps earlier stages alive."""

    probability: Probability
    stages: Annotated[
        Literal["earlier", "any"],
        Field(description="drawn among the earlier stages, or among all as in the published code"),
    ]


class Optimization(Closed):
    """AdamW, clipping and precision."""

    learning_rate: PositiveFloat
    weight_decay: Annotated[float, Field(ge=0)]
    betas: tuple[Probability, Probability]
    clip: Annotated[PositiveFloat | None, Field(description="largest norm of the gradient")]
    precision: Annotated[
        Literal["no", "tf32", "bf16", "fp16"],
        Field(description="of matrix products: as the weights, TF32 on a GPU that has it, or autocast"),
    ]
    sharding: Annotated[
        Literal["none", "full"],
        Field(
            description="what the GPUs of a run hold: each the whole model, or a part of everything",
            exclude_if=lambda sharding: sharding == "none",
        ),
    ] = "none"

    @model_validator(mode="after")
    def _sharding_without_scaling(self) -> Optimization:
        if self.sharding == "full" and self.precision == "fp16":
            raise ValueError("sharding: full needs precision: no, tf32 or bf16 (fp16 scales the loss)")
        return self


class Pretraining(Optimization):
    """Teaching a new base model to read facts: unplanned walks on graphs, no question, no choice."""

    batch_size: PositiveInt
    steps: PositiveInt
    warmup: Annotated[int, Field(ge=0, description="updates of linear warm-up")]
    decay: Annotated[int, Field(ge=0, description="updates of linear decay at the end")]
    walks: Annotated[PositiveInt, Field(description="walks behind the facts")]
    length: Annotated[PositiveInt, Field(description="most steps of a walk")]


class Training(Optimization):
    """How a stage is trained."""

    batch_size: PositiveInt
    micro_batch_size: Annotated[PositiveInt | None, Field(description="questions in memory at once")] = None
    warmup: Annotated[float, Field(ge=0, description="epochs of linear warm-up at the start of the run")]
    decay: Annotated[float, Field(ge=0, description="epochs of linear decay at the end of the run")]
    reset_optimizer: Annotated[
        Literal["stage", "epoch", "removal", "never"],
        Field(description="the paper says stage; its code, every epoch; iCoT's, whenever more is removed"),
    ]
    keep: Annotated[
        Literal["best", "last"],
        Field(description="whose weights a run ends with: the best epoch of its last stage, or the last"),
    ] = "best"
    mixing: Mixing
    redraw: Annotated[bool, Field(description="new names and order of a graph question at every use")]
    mirrors: Annotated[
        Literal["apart", "together"],
        Field(
            description="mirror questions of a graph shuffled one by one, or in one batch, read at once",
            exclude_if=lambda mirrors: mirrors == "apart",
        ),
    ] = "apart"
    most_loss: Annotated[
        PositiveFloat,
        Field(description="nats a token above which a stage has diverged; one word of 50,000 is 11"),
    ] = 50.0
    roll_back: Annotated[
        NonNegativeInt,
        Field(description="times a stage that diverged goes back to its last state, at half the rate"),
    ] = 0
    gradient_checkpointing: Annotated[
        bool, Field(description="layers are computed again in the backward pass: less memory, same numbers")
    ] = False

    @model_validator(mode="after")
    def _batches_divide(self) -> Training:
        if self.micro_batch_size and self.batch_size % self.micro_batch_size:
            raise ValueError(
                f"batch_size: {self.batch_size} is not a multiple of "
                f"micro_batch_size: {self.micro_batch_size}"
            )
        return self


class StageSpec(Closed):
    """All that determines a trained stage. Equal specs are one stage, trained once (see `Study.chain`)."""

    questions: Annotated[dict[str, Any], Field(description="the settings of its questions")]
    base: Basing
    training: Training
    layout: Layout
    removal: Annotated[Removal | None, Field(description="how the chain shrinks towards the layout")]
    mixed: Annotated[tuple[Layout, ...], Field(description="layouts of other stages, by steps hidden")]
    stage: int
    seed: int
    epochs: float
    epochs_before: Annotated[float, Field(description="epochs of the run before this stage")]
    epochs_in_all: Annotated[float, Field(description="epochs of the whole run (for the decay)")]
    keep: Annotated[Literal["last", "best"], Field(description="which epoch's weights are kept")]
    evaluation: Responding
    parent: Annotated[str | None, Field(description="id of the stage before")]

    @property
    def id(self) -> str:
        """Eight letters that stand for the whole spec, used as the name of its folder."""
        return short_id(self)
