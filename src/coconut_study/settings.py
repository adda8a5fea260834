"""The settings of every step as closed, typed objects; `study` puts them together.

These files only hold and check settings. What a step uses of them reaches it through the parameters of
its rule, so that a changed value reruns what depends on it and an edit of these files reruns nothing.
"""

from __future__ import annotations

import json
from hashlib import sha256
from itertools import combinations
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    RootModel,
    model_validator,
)

from coconut_study.methods import Closed, Layout, Removal, Schedule


def _rising(pair: tuple[int, int]) -> tuple[int, int]:
    if pair[0] > pair[1]:
        raise ValueError(f"the fewest ({pair[0]}) are more than the most ({pair[1]})")
    return pair


Probability = Annotated[float, Field(ge=0, le=1)]
Hops = Annotated[tuple[PositiveInt, PositiveInt], AfterValidator(_rising)]
Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], Field(min_length=1)]


def _check_folder(name: str) -> None:
    """ValueError for a path that is no folder; names of the hub are left to the hub."""
    if name.startswith((".", "/", "~")) and not Path(name).expanduser().is_dir():
        raise ValueError(f"{name} is not a folder")


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


# --------------------------------------------------------------------------------------------- machine


class Needs(Closed):
    """What one job needs; the schedulers read it, no result depends on it."""

    gpus: NonNegativeInt
    memory_mb: PositiveInt
    minutes: Annotated[PositiveFloat, Field(description="of a job; for train, of an epoch")]
    threads: PositiveInt = 1


class Machine(Closed):
    """What the jobs of the rules that use a model need; the other rules need next to nothing."""

    default: Needs | None = None
    base: Needs | None = None
    train: Needs | None = None
    respond: Needs | None = None
    probe: Needs | None = None
    decode: Needs | None = None
    ending: Needs | None = None
    clock: Needs | None = None
    save_minutes: Annotated[
        NonNegativeInt,
        Field(description="between two saved states of unfinished training; 0 for every update"),
    ] = 10
    jobs_per_gpu: Annotated[
        PositiveInt, Field(description="that share a GPU where one machine runs them side by side")
    ] = 1

    def needs(self, rule: str) -> Needs | None:
        """What a job of `rule` needs; None where nothing is said of it."""
        return getattr(self, rule) or self.default


# ------------------------------------------------------------------------------------------ data sets


class Sizes(Closed):
    """Questions in each split."""

    train: PositiveInt
    valid: PositiveInt
    test: PositiveInt


class Generated(Closed):
    """What all generated questions have in common."""

    sizes: Sizes
    seed: NonNegativeInt
    shards: Annotated[
        PositiveInt, Field(description="jobs that draw a part each, beside each other and restarted singly")
    ] = 1


def _check_graph(nodes: int, concepts: int, hops: tuple[int, int]) -> None:
    """ValueError for graphs that cannot be drawn or named: two nodes are persons, the others concepts."""
    if concepts < nodes - 2:
        raise ValueError(f"nodes: {nodes} needs concepts: {nodes - 2} or more")
    if max(hops) > nodes - 2:
        raise ValueError(f"hops: paths as long need nodes: {max(hops) + 2} or more")


class Prosqa(Generated):
    """Questions from the process behind the published ProsQA files."""

    source: Literal["prosqa"]
    nodes: Annotated[int, Field(ge=4, description="nodes drawn; those without an edge are dropped")]
    hops: Annotated[Hops, Field(description="fewest and most steps of a question")]
    persons: Annotated[int, Field(ge=2, le=17, description="person names in use")]
    concepts: Annotated[int, Field(ge=2, le=38, description="concept names in use")]

    @model_validator(mode="after")
    def _fits(self) -> Prosqa:
        _check_graph(self.nodes, self.concepts, self.hops)
        return self


class Balanced(Generated):
    """Mirror questions with matched options; a rule that ignores the root is right half of the time."""

    source: Literal["balanced"]
    nodes: Annotated[int, Field(ge=6)]
    edges: Annotated[int, Field(ge=6)]
    hops: Annotated[Hops, Field(description="fewest and most steps of a question")]
    persons: Annotated[int, Field(ge=2, le=17)]
    concepts: Annotated[int, Field(ge=2, le=38)]

    @model_validator(mode="after")
    def _fits(self) -> Balanced:
        _check_graph(self.nodes, self.concepts, (1, 2 * self.hops[1]))  # two chains side by side
        if self.edges < self.nodes - 2:
            raise ValueError(f"edges: {self.edges} are too few to join nodes: {self.nodes}")
        if any(size % 2 for size in self.sizes.model_dump().values()):
            raise ValueError("sizes must be even: every graph asks two mirror questions")
        return self


class Prontoqa(Generated):
    """True-or-false questions about fictional ontologies, as in 5-hop ProntoQA (paper section 4.1)."""

    source: Literal["prontoqa"]
    hops: Annotated[int, Field(ge=1, le=6, description="rules a proof applies; names suffice for six")]


class Arithmetic(Generated):
    """Word problems solved by a chain of equations, in the form of GSM8k-Aug."""

    source: Literal["arithmetic"]
    steps: Annotated[Hops, Field(description="fewest and most equations of a question, 1 to 8")]

    @model_validator(mode="after")
    def _steps_in_range(self) -> Arithmetic:
        if self.steps[1] > 8:
            raise ValueError(f"steps: {[*self.steps]} is no range within 1 to 8")
        return self


class File(Closed):
    """A question file: the published schema, GSM8k-Aug's text (.txt), or ProntoQA's own output."""

    path: Name
    rows: Annotated[
        tuple[NonNegativeInt, PositiveInt] | None, Field(description="first row taken, and the one behind")
    ] = None
    count: Annotated[PositiveInt | None, Field(description="questions it must give")] = None
    sha256: Annotated[
        str | None, Field(pattern="^[0-9a-f]{64}$", description="checksum the file must have")
    ] = None

    @model_validator(mode="after")
    def _takes_rows(self) -> File:
        if self.rows is not None and self.rows[0] >= self.rows[1]:
            raise ValueError(f"rows: {[*self.rows]} takes none; the second number is the row behind the last")
        return self

    def shares_rows(self, other: File) -> bool:
        """Whether another takes rows of the same file."""
        same = Path(self.path).resolve() == Path(other.path).resolve()
        same |= self.sha256 is not None and self.sha256 == other.sha256
        (start, stop), (first, last) = (file.rows or (0, inf) for file in (self, other))
        return same and max(start, first) < min(stop, last)


class Existing(Closed):
    """What data sets that exist already have in common."""

    repeats: Annotated[
        NonNegativeInt,
        Field(
            description="questions of valid and test that may stand in the data set a second time",
            exclude_if=lambda repeats: repeats == 0,
        ),
    ] = 0


class Files(Existing):
    """Questions from files."""

    source: Literal["files"]
    train: File
    valid: File
    test: File

    @model_validator(mode="after")
    def _splits_apart(self) -> Files:
        for one, other in combinations(("train", "valid", "test"), 2):
            if getattr(self, one).shares_rows(getattr(self, other)):
                path = getattr(self, other).path
                raise ValueError(
                    f"{other}: takes rows of {path} that {one} takes too; give it rows of its own"
                )
        return self


class Split(Closed):
    """A split of a data set of the hub."""

    split: Name
    count: Annotated[PositiveInt | None, Field(description="questions it must hold")] = None


class Hub(Existing):
    """Questions of a Hugging Face data set with the columns question, steps and answer."""

    source: Literal["hub"]
    path: Annotated[Name, Field(description="name on the hub, or a folder in its form")]
    revision: Annotated[str | None, Field(description="commit, branch or tag")] = None
    train: Split
    valid: Split
    test: Split

    @model_validator(mode="after")
    def _splits_apart(self) -> Hub:
        _check_folder(self.path)
        for one, other in combinations(("train", "valid", "test"), 2):
            if (split := getattr(self, other).split) == getattr(self, one).split:
                raise ValueError(f"{other}: takes the split {split} that {one} takes too")
        return self


class Source(
    RootModel[
        Annotated[Prosqa | Balanced | Prontoqa | Arithmetic | Files | Hub, Field(discriminator="source")]
    ]
):
    """Where the questions of a data set come from."""

    model_config = ConfigDict(frozen=True)


class Dataset(Closed):
    """Questions and how long training dwells on each stage of them."""

    title: str
    questions: Source
    schedule: Schedule
    paper: Annotated[str | None, Field(description="the paper's data set shown beside ours")] = None
    machine: Annotated[Machine, Field(description="what jobs on this data set need, where they differ")] = (
        Machine()
    )


# ----------------------------------------------------------------------------------- model and training


class TextSettings(Closed):
    """How questions are written for the model."""

    template: Literal["prose", "symbols"]
    facts_share_position: Annotated[
        bool, Field(description="both tokens of a fact get one position id (symbols template)")
    ]


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
                _check_folder(name)
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
        return _id(self)


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


class Responding(Closed):
    """How a trained run is asked."""

    batch_size: PositiveInt
    max_new_tokens: PositiveInt


class Asking(Closed):
    """All that determines the responses of a trained run."""

    run: Annotated[dict[str, str | int], Field(description="dataset, method and seed")]
    text: TextSettings
    layouts: Annotated[tuple[Layout, ...], Field(min_length=1)]
    responding: Responding


Counted = Literal["written", "thoughts", "pauses", "end"]


class Grading(Closed):
    """How responses are judged."""

    tokens: Annotated[
        tuple[Counted, ...],
        Field(description="what counts as a token; the paper's tables fit written and (continuous) thoughts"),
    ] = ("written", "thoughts")
    hidden_prefix: Annotated[
        Literal["completable", "exact"],
        Field(description="a partial path may follow any hidden steps, or exactly as many as were hidden"),
    ]


class Tables(Closed):
    """How results are summed up."""

    worked: Annotated[
        float, Field(ge=0, le=100, description="right answers (%) from which a seed counts as worked")
    ]


class Grid(Closed):
    """Runs: every combination of these."""

    datasets: Names
    methods: Names
    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> Grid:
        for key in ("datasets", "methods", "seeds"):
            values = getattr(self, key)
            if len(set(values)) < len(values):
                raise ValueError(f"{key}: {[*values]} names one of them twice")
        return self


class Sweep(Closed):
    """Numbers of thoughts a trained run is asked with, besides the one it was trained for."""

    datasets: Annotated[tuple[str, ...] | None, Field(description="null for all")] = None
    methods: tuple[str, ...]
    k: tuple[Annotated[int, Field(ge=0)], ...]


class Clock(Closed):
    """Wall-clock time of a response (paper appendix B, Table 4): one question at a time, and in batches."""

    methods: Names
    questions: Annotated[PositiveInt, Field(description="test questions that are timed")]
    batch_size: Annotated[PositiveInt, Field(description="questions in a batch, beside one at a time")]


class Ending(Closed):
    """A classifier on the thoughts that says when to stop thinking (paper section 3; no numbers there)."""

    methods: Names
    questions: Annotated[PositiveInt, Field(description="training questions whose thoughts it learns from")]


class Probing(Closed):
    """What a thought predicts of the steps to come, on graph questions (paper section 5.3)."""

    datasets: Names
    methods: Names
    k: Annotated[
        tuple[NonNegativeInt, ...], Field(min_length=1, description="thoughts after which a step is forced")
    ]
    height: Annotated[
        Literal["shortest", "longest"],
        Field(description="of the ways from a node to a leaf; the paper's text and caption differ"),
    ]
    questions: Annotated[PositiveInt | None, Field(description="test questions; null for all")]
    case: Annotated[NonNegativeInt, Field(description="the test question whose search tree is drawn")]


class Decoding(Closed):
    """Thoughts read as words, through the output embeddings (paper section 4.4)."""

    datasets: Names
    methods: Names
    questions: Annotated[PositiveInt, Field(description="test questions")]
    top: Annotated[PositiveInt, Field(description="tokens shown for each thought")]


class Comparison(Closed):
    """Runs set side by side: one experiment, one table, one figure."""

    title: str
    reference: Annotated[str | None, Field(description="where the paper has it")] = None
    datasets: Names
    x: Annotated[
        Literal["label", "tokens", "k"],
        Field(description="across: the labels below, measured tokens, or thoughts given (of the k sweep)"),
    ]
    xlabel: str
    series: Annotated[
        dict[str, Annotated[dict[str | int | float, str], Field(min_length=1)]],
        Field(min_length=1, description="lines of the figure; each a mapping of labels to methods"),
    ]

    @property
    def methods(self) -> tuple[str, ...]:
        """Every method of it, each once."""
        return tuple(dict.fromkeys(name for line in self.series.values() for name in line.values()))


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
        return _id(self)


def _id(settings: Closed) -> str:
    return sha256(settings.model_dump_json().encode()).hexdigest()[:8]
