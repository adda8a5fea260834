"""Models, optimization and the specification of a training stage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from coconut_study.common.reading import read_json
from coconut_study.common.settings import Closed, Name, Probability, check_folder, short_id
from coconut_study.evaluation.settings import Responding
from coconut_study.sequences.methods import Extra, Layout, Removal, Targets, TextSettings, ThoughtLoss

if TYPE_CHECKING:
    import numpy as np


def _configuration(folder: Path) -> dict[str, Any]:
    """The configuration of the model in a folder; ValueError if it cannot be read."""
    if (folder / "adapter_config.json").is_file():  # adapters, which name their model
        return {}
    configuration = read_json(folder / "config.json")
    if not isinstance(configuration, dict):
        raise ValueError(f"{folder}/config.json is not a JSON object")
    if not any(folder.glob("*.safetensors")):
        raise ValueError(f"{folder} holds no *.safetensors; weights in other formats are not read")
    return configuration


class NewTokens(Closed):
    """Initial values of the embeddings of <bot>, <eot>, <thought> and <pause> in a pretrained model."""

    init: Literal["copy", "mean", "random"]
    of: Annotated[str | None, Field(description="the token to copy, with init: copy")] = None

    @model_validator(mode="after")
    def _copy_of_something(self) -> NewTokens:
        if (self.init == "copy") != (self.of is not None):
            raise ValueError("of: give a token with init: copy, and only then")
        return self


class Lora(Closed):
    """Low-rank adapters on a frozen model, and trained embeddings of the marks (Hu et al. 2021)."""

    rank: PositiveInt
    alpha: PositiveInt
    dropout: Probability
    targets: Annotated[
        tuple[str, ...] | None,
        Field(description="layers with adapters; null for the default of peft for the model"),
    ]


class Pool(Closed):
    """Names that a tokenizer of words has, whether questions use them or not: the first of their lists."""

    persons: Annotated[int, Field(ge=2, le=17)]
    concepts: Annotated[int, Field(ge=2, le=38)]


class Model(Closed):
    """The base model of a study: loaded from a hub name or folder, or created from a configuration."""

    path: Annotated[Name | None, Field(description="hub name or folder of a causal language model")] = None
    architecture: Annotated[
        dict[str, Any] | None, Field(description="configuration of a new model (model_type, n_layer, ...)")
    ] = None
    tokenizer: Annotated[
        Name, Field(description="hub name or folder, or `words` for one made of the words of the questions")
    ]
    new_tokens: NewTokens
    dtype: Annotated[
        Literal["float32", "bfloat16", "float16"], Field(description="data type of the weights")
    ] = "float32"
    lora: Annotated[Lora | None, Field(description="train only adapters; null trains all weights")] = None
    pretraining: Annotated[
        Pretraining | None,
        Field(description="how a new model is pretrained before all runs; null for not at all"),
    ] = None
    names: Annotated[
        Pool | None,
        Field(
            description="names that `words` and pretraining have, although no training question has them",
            exclude_if=lambda names: names is None,
        ),
    ] = None

    @model_validator(mode="after")
    def _one_origin(self) -> Model:
        if (self.path is None) == (self.architecture is None):
            raise ValueError("give either path or architecture")
        if self.architecture is not None and "model_type" not in self.architecture:
            raise ValueError("architecture needs a model_type, for example gpt2")
        if self.path is not None and self.tokenizer == "words":
            raise ValueError(
                "tokenizer: words is for a new model (architecture); a loaded model has its own tokenizer"
            )
        if self.names is not None and self.tokenizer != "words":
            raise ValueError("names: is for tokenizer: words; another tokenizer has its own words")
        if self.path is not None and self.pretraining is not None:
            raise ValueError(
                "pretraining: is for a new model (architecture); a loaded model is pretrained already"
            )
        for name in (self.path, None if self.tokenizer == "words" else self.tokenizer):
            if name is not None:
                check_folder(name)
        if self.folder is not None:
            _configuration(self.folder)
        return self

    @property
    def folder(self) -> Path | None:
        """The folder that the model is loaded from; None for a new model and for one on the hub."""
        folder = Path(self.path or "").expanduser()
        return folder if self.path is not None and folder.is_dir() else None

    @property
    def positions(self) -> int | None:
        """Number of positions of a sequence; None if neither the study nor a folder says it."""
        return self._number("n_positions", "max_position_embeddings")

    @property
    def layers(self) -> int | None:
        """Number of layers; None if neither the study nor a folder says it."""
        return self._number("n_layer", "num_hidden_layers")

    @property
    def width(self) -> int | None:
        """Number of components of a hidden state; None if neither the study nor a folder says it."""
        return self._number("n_embd", "hidden_size")

    def _number(self, *names: str) -> int | None:
        """The number that the configuration of the model has under one of these names; None for no number."""
        known = _configuration(self.folder) if self.folder else self.architecture or {}
        known = known.get("text_config", known)
        number = next((known[name] for name in names if name in known), None)
        return number if isinstance(number, int) else None


class BaseSpec(Closed):
    """All that determines a base model, except the questions it is pretrained on."""

    model: Model
    text: TextSettings
    seed: int

    @property
    def id(self) -> str:
        """Eight hexadecimal digits that stand for the whole spec, used in the name of its folder."""
        return short_id(self)


class Mixing(Closed):
    """Some questions in the layout of another stage, so that the model does not forget earlier stages."""

    probability: Probability
    stages: Annotated[
        Literal["earlier", "any"],
        Field(description="draw from the earlier stages, or from all stages as the published code does"),
    ]
    weight: Annotated[
        Literal["equal", "rising"],
        Field(
            description="draw stages equally often, or stage i in proportion to i + 1, up to the own one",
            exclude_if=lambda weight: weight == "equal",
        ),
    ] = "equal"

    @model_validator(mode="after")
    def _rising_up_to_the_own_stage(self) -> Mixing:
        if self.weight == "rising" and self.stages == "any":
            raise ValueError("weight: rising is for stages: earlier; it ends with the stage that is trained")
        return self


class Optimization(Closed):
    """AdamW, clipping and precision."""

    learning_rate: PositiveFloat
    weight_decay: Annotated[float, Field(ge=0)]
    betas: tuple[Probability, Probability]
    clip: Annotated[
        PositiveFloat | None, Field(description="maximum norm of the gradient; null for no limit")
    ]
    precision: Annotated[
        Literal["no", "tf32", "bf16", "fp16"],
        Field(description="of matrix products: that of the weights, TF32 if the GPU has it, or autocast"),
    ]
    sharding: Annotated[
        Literal["none", "full"],
        Field(
            description="what each GPU of a run has: the whole model, or a part of all tensors (FSDP)",
            exclude_if=lambda sharding: sharding == "none",
        ),
    ] = "none"

    @model_validator(mode="after")
    def _sharding_without_scaling(self) -> Optimization:
        if self.sharding == "full" and self.precision == "fp16":
            raise ValueError("sharding: full needs precision: no, tf32 or bf16 (fp16 scales the loss)")
        return self


class Growth(Closed):
    """Few facts and few names at first, then more with the square of the update, until all are in use."""

    facts: Annotated[PositiveInt, Field(description="facts of a page at first")]
    until: Annotated[PositiveInt, Field(description="update from which on a page has all facts")]


class Pretraining(Optimization):
    """How a new base model learns to read facts: random walks on graphs, without questions."""

    batch_size: PositiveInt
    steps: PositiveInt
    warmup: Annotated[int, Field(ge=0, description="updates of linear warm-up")]
    decay: Annotated[int, Field(ge=0, description="updates of linear decay at the end")]
    walks: Annotated[PositiveInt, Field(description="walks after the facts")]
    length: Annotated[PositiveInt, Field(description="maximum steps of a walk")]
    growth: Annotated[
        Growth | None,
        Field(
            description="how facts and names grow in number; null for all from the start",
            exclude_if=lambda growth: growth is None,
        ),
    ] = None

    @model_validator(mode="after")
    def _grown_before_the_end(self) -> Pretraining:
        if self.growth is not None and self.growth.until > self.steps:
            raise ValueError(f"growth.until: {self.growth.until} exceeds the {self.steps} updates of steps")
        return self


class Training(Optimization):
    """How a stage is trained."""

    batch_size: PositiveInt
    micro_batch_size: Annotated[
        PositiveInt | None,
        Field(description="questions in memory at once, per GPU; null for a whole share of the batch"),
    ] = None
    warmup: Annotated[float, Field(ge=0, description="epochs of linear warm-up at the start of the run")]
    decay: Annotated[float, Field(ge=0, description="epochs of linear decay at the end of the run")]
    reset_optimizer: Annotated[
        Literal["stage", "epoch", "removal", "never"],
        Field(description="when AdamW starts anew: each stage (paper), epoch (its code), removal (iCoT)"),
    ]
    keep: Annotated[
        Literal["best", "last"],
        Field(description="weights that a run ends with: of the best or the last epoch of its last stage"),
    ] = "best"
    mixing: Mixing
    redraw: Annotated[
        bool, Field(description="new names and a new order of facts for each use of a graph question")
    ]
    mirrors: Annotated[
        Literal["apart", "together"],
        Field(
            description="mirror questions of a graph: shuffled separately, or together in one batch",
            exclude_if=lambda mirrors: mirrors == "apart",
        ),
    ] = "apart"
    max_loss: Annotated[
        PositiveFloat,
        Field(
            description="nats per token above which a stage has diverged; guessing one of 50,000 words is 11"
        ),
    ] = 50.0
    roll_back: Annotated[
        NonNegativeInt,
        Field(description="times a diverged stage returns to its last state, with half the learning rate"),
    ] = 0
    gradient_checkpointing: Annotated[
        bool, Field(description="compute layers again in the backward pass: less memory, equal results")
    ] = False

    @model_validator(mode="after")
    def _batches_divide(self) -> Training:
        if self.micro_batch_size and self.batch_size % self.micro_batch_size:
            raise ValueError(
                f"batch_size: {self.batch_size} is not a multiple of "
                f"micro_batch_size: {self.micro_batch_size}"
            )
        return self


class DrawnThoughts(Extra):
    """The number of thoughts of a question: `c` for each step, at most those of the layout, and sometimes
    more."""

    c: PositiveInt

    def layout(self, layout: Layout, n_steps: int, rng: np.random.Generator) -> Layout:
        """A layout for a question with `n_steps` steps; one without thoughts stays as it is."""
        if not layout.thoughts:
            return layout
        more = self.thoughts if rng.random() < self.probability else 0
        return layout.model_copy(update={"thoughts": min(layout.thoughts, self.c * n_steps) + more})

    def longest(self, layout: Layout) -> Layout:
        """The layout with the most thoughts that a question may get."""
        more = self.thoughts if layout.thoughts else 0
        return layout.model_copy(update={"thoughts": layout.thoughts + more})


class StageSpec(Closed):
    """All that determines a trained stage. Runs with equal specs share the stage."""

    questions: Annotated[dict[str, Any], Field(description="settings of its questions")]
    base: BaseSpec
    training: Training
    layout: Layout
    removal: Annotated[
        Removal | None, Field(description="how iCoT removes the chain; null for other methods")
    ]
    mixed: Annotated[
        tuple[Layout, ...], Field(description="layouts of other stages to mix in, by number of hidden steps")
    ]
    following: Annotated[
        dict[str, Any] | None,
        Field(
            description="settings of the rewrites that are asked after every epoch; null for none",
            exclude_if=lambda following: following is None,
        ),
    ] = None
    extra: Annotated[
        DrawnThoughts | None,
        Field(
            description="how the number of thoughts varies among questions; null if it does not",
            exclude_if=lambda extra: extra is None,
        ),
    ] = None
    targets: Annotated[
        Targets,
        Field(
            description="what follows the thoughts: the other steps, or one node of the frontier",
            exclude_if=lambda targets: targets == "path",
        ),
    ] = "path"
    thought_loss: Annotated[
        ThoughtLoss | None,
        Field(
            description="what the states that become thoughts have to predict; null for nothing",
            exclude_if=lambda thought_loss: thought_loss is None,
        ),
    ] = None
    stage: int
    seed: int
    epochs: float
    epochs_before: Annotated[float, Field(description="epochs of the run before this stage")]
    epochs_in_all: Annotated[float, Field(description="epochs of the whole run, for the decay")]
    keep: Annotated[Literal["last", "best"], Field(description="the epoch whose weights are kept")]
    evaluation: Responding
    parent: Annotated[str | None, Field(description="id of the stage before")]

    @property
    def id(self) -> str:
        """Eight hexadecimal digits that stand for the whole spec, used as the name of its folder."""
        return short_id(self)
