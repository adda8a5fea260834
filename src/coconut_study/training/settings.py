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
    """Initial embeddings of `<bot>`, `<eot>`, `<thought>` and `<pause>`: a copy of that of another token, the
    mean of all, or random; the paper does not say, its code copies that of `<<`."""
    of: str | None = None
    """The token that is copied; null with another `init` than `copy`."""

    @model_validator(mode="after")
    def _copy_of_something(self) -> NewTokens:
        if (self.init == "copy") != (self.of is not None):
            raise ValueError("of: give a token with init: copy, and only then")
        return self


class Lora(Closed):
    """Low-rank adapters on a frozen model, and trained embeddings of the marks (Hu et al. 2021)."""

    rank: PositiveInt
    """Rank of the adapters."""
    alpha: PositiveInt
    """Scale of the adapters: what they add is multiplied by alpha / rank."""
    dropout: Probability
    """Probability with which an input of the adapters is dropped in training."""
    targets: tuple[str, ...] | None
    """Names of the layers with adapters; null for the choice of peft for the model."""


class Pool(Closed):
    """Names that a tokenizer of words has, whether questions use them or not: the first of their lists."""

    persons: Annotated[int, Field(ge=2, le=17)]
    """Number of names of persons, the first of their list."""
    concepts: Annotated[int, Field(ge=2, le=38)]
    """Number of names of concepts, the first of their list."""


class Model(Closed):
    """The base model of a study: loaded from a hub name or folder, or created from a configuration."""

    path: Name | None = None
    """Hub name or folder of a causal language model; null for a new model (`architecture`)."""
    architecture: dict[str, Any] | None = None
    """Configuration of a new model: `model_type`, `n_layer`, ... as transformers names them; null for a
    loaded model (`path`)."""
    tokenizer: Annotated[Name, Field(default_factory=lambda given: given.get("path") or "words")]
    """Hub name or folder of the tokenizer, or `words` for one made of the words of the questions; not given,
    that of `path`, or `words` for a new model."""
    new_tokens: NewTokens = NewTokens(init="mean")
    """Initial values of the embeddings of the new tokens in a loaded model."""
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """Data type of the weights."""
    lora: Lora | None = None
    """Adapters, which are trained alone; null trains all weights."""
    pretraining: Pretraining | None = None
    """How a new model learns to read facts before any run, from walks on graphs; null for not at all."""
    names: Annotated[Pool | None, Field(exclude_if=lambda names: names is None)] = None
    """Names that `words` and pretraining know besides those of the training questions; null for no others."""

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

    probability: Probability = 0.0
    """Probability that a question is shown in the layout of another stage."""
    stages: Literal["earlier", "any"] = "any"
    """Which stages are drawn from: the earlier ones, or all as in the published code."""
    weight: Annotated[Literal["equal", "rising"], Field(exclude_if=lambda weight: weight == "equal")] = (
        "equal"
    )
    """Draw stages equally often, or stage i in proportion to i + 1, where the stage that is trained is one of
    them (with `stages: earlier`)."""

    @model_validator(mode="after")
    def _rising_up_to_the_own_stage(self) -> Mixing:
        if self.weight == "rising" and self.stages == "any":
            raise ValueError("weight: rising is for stages: earlier; it ends with the stage that is trained")
        return self


class Optimization(Closed):
    """AdamW, clipping and precision."""

    learning_rate: PositiveFloat
    """Learning rate of AdamW after the warm-up."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """Weight decay of AdamW."""
    betas: tuple[Probability, Probability] = (0.9, 0.999)
    """Decay rates of the two moments of AdamW."""
    clip: PositiveFloat | None = None
    """Maximum norm of the gradient; null for no limit."""
    precision: Literal["no", "tf32", "bf16", "fp16"] = "no"
    """Precision of matrix products: `"no"` (in quotes) that of the weights, `tf32` if the GPU has it, `bf16`
    or `fp16` by autocast."""
    sharding: Annotated[Literal["none", "full"], Field(exclude_if=lambda sharding: sharding == "none")] = (
        "none"
    )
    """What each GPU of a run holds: the whole model, or (`full`) a part of it and of the optimizer (FSDP)."""

    @model_validator(mode="after")
    def _sharding_without_scaling(self) -> Optimization:
        if self.sharding == "full" and self.precision == "fp16":
            raise ValueError("sharding: full needs precision: no, tf32 or bf16 (fp16 scales the loss)")
        return self


class Growth(Closed):
    """Few facts and few names at first, then more with the square of the update, until all are in use."""

    facts: PositiveInt
    """Facts of a page at first: those found by following facts from a person of the graph."""
    until: PositiveInt
    """Update from which on a page has all facts; until then they grow with the square of the update, and the
    names in use in proportion."""


class Pretraining(Optimization):
    """How a new base model learns to read facts: random walks on graphs, without questions."""

    batch_size: PositiveInt
    """Sequences per update."""
    steps: PositiveInt
    """Number of updates."""
    warmup: Annotated[int, Field(ge=0)]
    """Updates of linear warm-up at the start."""
    decay: Annotated[int, Field(ge=0)]
    """Updates of linear decay at the end."""
    walks: PositiveInt
    """Number of walks after the facts of a page."""
    length: PositiveInt
    """Maximum number of steps of a walk."""
    growth: Annotated[Growth | None, Field(exclude_if=lambda growth: growth is None)] = None
    """How facts and names grow in number; null for all from the start."""

    @model_validator(mode="after")
    def _grown_before_the_end(self) -> Pretraining:
        if self.growth is not None and self.growth.until > self.steps:
            raise ValueError(f"growth.until: {self.growth.until} exceeds the {self.steps} updates of steps")
        return self


class Training(Optimization):
    """How a stage is trained. The defaults are the recipe of the paper for GPT-2."""

    learning_rate: PositiveFloat = 1e-4
    """Learning rate of AdamW after the warm-up."""
    batch_size: PositiveInt = 128
    """Questions per update."""
    micro_batch_size: PositiveInt | None = None
    """Questions in memory at once, per GPU, which divides `batch_size`; null for a whole share of the
    batch."""
    warmup: Annotated[float, Field(ge=0)] = 0.0
    """Epochs of linear warm-up at the start of the run."""
    decay: Annotated[float, Field(ge=0)] = 0.0
    """Epochs of linear decay at the end of the run."""
    reset_optimizer: Literal["stage", "epoch", "removal", "never"] = "stage"
    """When AdamW starts anew: at each stage (paper), each epoch (its code), whenever iCoT removes more, or
    never."""
    keep: Literal["best", "last"] = "best"
    """Weights that a run ends with: those of the best epoch of its last stage by validation accuracy, or of
    the last."""
    mixing: Mixing = Mixing()
    """Some questions in the layout of another stage, so that the model does not forget it."""
    redraw: bool = False
    """Whether a graph question gets new names and a new order of facts at every use."""
    mirrors: Annotated[Literal["apart", "together"], Field(exclude_if=lambda mirrors: mirrors == "apart")] = (
        "apart"
    )
    """Mirror questions of a graph: shuffled separately, or together in one batch, where their facts are read
    once."""
    max_loss: PositiveFloat = 50.0
    """Loss in nats per token above which a stage has diverged and stops; a uniform guess among 50,000 words
    is 11."""
    roll_back: NonNegativeInt = 0
    """How often a diverged stage returns to its last saved state, at half the learning rate."""
    gradient_checkpointing: bool = False
    """Whether layers are computed again in the backward pass: less memory, equal results."""

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

    questions: dict[str, Any]
    """Settings of its questions."""
    base: BaseSpec
    training: Training
    layout: Layout
    removal: Removal | None
    """How iCoT removes the chain; null for other methods."""
    mixed: tuple[Layout, ...]
    """Layouts of other stages to mix in, by number of hidden steps."""
    following: Annotated[dict[str, Any] | None, Field(exclude_if=lambda following: following is None)] = None
    """Settings of the rewrites that are asked after every epoch; null for none."""
    extra: Annotated[DrawnThoughts | None, Field(exclude_if=lambda extra: extra is None)] = None
    """How the number of thoughts varies among questions; null if it does not."""
    targets: Annotated[Targets, Field(exclude_if=lambda targets: targets == "path")] = "path"
    """What follows the thoughts: the other steps, or one node of the frontier."""
    thought_loss: Annotated[
        ThoughtLoss | None, Field(exclude_if=lambda thought_loss: thought_loss is None)
    ] = None
    """What the states that become thoughts have to predict; null for nothing."""
    stage: int
    seed: int
    epochs: float
    epochs_before: float
    """Epochs of the run before this stage."""
    epochs_in_all: float
    """Epochs of the whole run, for the decay."""
    keep: Literal["last", "best"]
    """The epoch whose weights are kept."""
    evaluation: Responding
    parent: str | None
    """Id of the stage before."""

    @property
    def id(self) -> str:
        """Eight hexadecimal digits that stand for the whole spec, used as the name of its folder."""
        return short_id(self)
