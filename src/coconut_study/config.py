"""A study as one closed, typed object: every key known, every contradiction found before anything runs.

This file only holds and checks settings. What a step uses of them reaches it through the parameters of
its rule, so that a changed value reruns what depends on it and an edit of this file reruns nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    RootModel,
    ValidationError,
    model_validator,
)

from coconut_study.errors import StudyError
from coconut_study.methods import Closed, Layout, Method, Schedule

Probability = Annotated[float, Field(ge=0, le=1)]
Hops = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]


# ------------------------------------------------------------------------------------------ data sets


class Sizes(Closed):
    """Questions in each split."""

    train: PositiveInt
    valid: PositiveInt
    test: PositiveInt


class Prosqa(Closed):
    """Questions from the process behind the published ProsQA files."""

    source: Literal["prosqa"]
    nodes: Annotated[int, Field(ge=4, description="nodes drawn; those without an edge are dropped")]
    hops: Annotated[Hops, Field(description="fewest and most steps of a question")]
    persons: Annotated[int, Field(ge=2, le=17, description="person names in use")]
    concepts: Annotated[int, Field(ge=2, le=38, description="concept names in use")]
    sizes: Sizes
    seed: int


class Balanced(Closed):
    """Mirror questions with matched options; a rule that ignores the root is right half of the time."""

    source: Literal["balanced"]
    nodes: Annotated[int, Field(ge=6)]
    edges: Annotated[int, Field(ge=6)]
    hops: Annotated[Hops, Field(description="fewest and most steps of a question")]
    persons: Annotated[int, Field(ge=2, le=17)]
    concepts: Annotated[int, Field(ge=2, le=38)]
    sizes: Sizes
    seed: int

    @model_validator(mode="after")
    def _names_and_pairs(self) -> Balanced:
        if self.concepts < self.nodes - 2:
            raise ValueError(f"nodes: {self.nodes} needs concepts: {self.nodes - 2} or more")
        if any(size % 2 for size in self.sizes.model_dump().values()):
            raise ValueError("sizes must be even: every graph asks two mirror questions")
        return self


class File(Closed):
    """A question file in the published schema."""

    path: str
    count: Annotated[int | None, Field(description="questions it must hold")] = None
    sha256: Annotated[str | None, Field(description="checksum it must have")] = None


class Files(Closed):
    """Questions from three files in the published schema."""

    source: Literal["files"]
    train: File
    valid: File
    test: File


class Source(RootModel[Annotated[Prosqa | Balanced | Files, Field(discriminator="source")]]):
    """Where the questions of a data set come from."""

    model_config = ConfigDict(frozen=True)


class Dataset(Closed):
    """Questions and how long training dwells on each stage of them."""

    title: str
    questions: Source
    schedule: Schedule
    paper: Annotated[str | None, Field(description="the paper's data set shown beside ours")] = None


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


class Model(Closed):
    """The base model of a study: loaded from a hub name or folder, or made from a configuration."""

    path: Annotated[str | None, Field(description="hub name or folder of a causal language model")] = None
    architecture: Annotated[
        dict[str, Any] | None, Field(description="configuration of a new model (model_type, n_layer, ...)")
    ] = None
    tokenizer: Annotated[str, Field(description="hub name or folder, or `words` for one made from the data")]
    new_tokens: NewTokens
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
        for name in (self.path, None if self.tokenizer == "words" else self.tokenizer):
            if name and name.startswith((".", "/", "~")) and not Path(name).expanduser().is_dir():
                raise ValueError(f"{name} is not a folder")
        return self


class Basing(Closed):
    """All that determines a base model, but for the questions it is pretrained on."""

    model: Model
    text: TextSettings
    seed: int


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
    precision: Annotated[Literal["no", "bf16", "fp16"], Field(description="autocast; weights stay float32")]


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
        Literal["stage", "epoch", "never"],
        Field(description="the paper says stage; the published code does it every epoch"),
    ]
    mixing: Mixing
    redraw: Annotated[bool, Field(description="new names and order of a graph question at every use")]

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


class Grading(Closed):
    """How responses are judged."""

    hidden_prefix: Annotated[
        Literal["completable", "exact"],
        Field(description="a partial path may follow any hidden steps, or exactly as many as were hidden"),
    ]


class Tables(Closed):
    """How results are summed up."""

    worked: Annotated[
        float, Field(ge=0, le=100, description="right answers (%) from which a seed counts as worked")
    ]


class Machine(Closed):
    """What one job needs; the schedulers read it, no result depends on it."""

    gpus: Annotated[int, Field(ge=0)]
    memory_mb: PositiveInt
    minutes: PositiveInt


class Grid(Closed):
    """Runs: every combination of these."""

    datasets: tuple[str, ...]
    methods: tuple[str, ...]
    seeds: Annotated[tuple[int, ...], Field(min_length=1)]


class Sweep(Closed):
    """Numbers of thoughts a trained run is asked with, besides the one it was trained for."""

    methods: tuple[str, ...]
    k: tuple[Annotated[int, Field(ge=0)], ...]


class StageSpec(Closed):
    """All that determines a trained stage. Equal specs are one stage, trained once (see `Study.chain`)."""

    questions: Annotated[dict[str, Any], Field(description="the settings of its questions")]
    base: Basing
    training: Training
    layout: Layout
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
        return sha256(self.model_dump_json().encode()).hexdigest()[:8]


class Study(Closed):
    """A whole study, as one YAML file describes it."""

    study: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", description="names the results folder")]
    description: str
    datasets: dict[str, Dataset]
    methods: dict[str, Method]
    text: TextSettings
    model: Model
    base_seeds: Annotated[
        tuple[int, ...], Field(min_length=1, description="one base model each; the seeds take them in turn")
    ]
    training: Training
    responding: Responding
    grading: Grading
    tables: Tables
    machine: Machine
    runs: Annotated[tuple[Grid, ...], Field(min_length=1)]
    sweep: Sweep

    @model_validator(mode="after")
    def _selections_exist(self) -> Study:
        for number, grid in enumerate(self.runs):
            _known(f"runs.{number}.datasets", grid.datasets, self.datasets)
            _known(f"runs.{number}.methods", grid.methods, self.methods)
        _known("sweep.methods", self.sweep.methods, self.methods)
        return self

    @model_validator(mode="after")
    def _names_fit_paths(self) -> Study:
        for section in ("datasets", "methods"):
            for name in getattr(self, section):
                if not name.replace("_", "").replace("-", "").isalnum():
                    raise ValueError(f"{section}.{name}: use letters, digits, - and _ alone")
        return self

    @model_validator(mode="after")
    def _overrides_are_settings(self) -> Study:
        for dataset, method, _ in self.run_keys():
            self.training_of(method)
            self.schedule_of(dataset, method)
        return self

    @model_validator(mode="after")
    def _sweep_within_training(self) -> Study:
        for dataset, method, _ in self.run_keys():
            if method not in self.sweep.methods:
                continue
            trained = self.trained_k(dataset, method)
            if self.methods[method].thoughts == "none":
                raise ValueError(f"sweep.methods: {method} has no thoughts to vary")
            for k in self.sweep.k:
                if k > trained:
                    raise ValueError(
                        f"sweep.k: {k} is above what {method} is trained for on {dataset} "
                        f"({trained} thoughts); use {trained} or less"
                    )
        return self

    @model_validator(mode="after")
    def _template_fits(self) -> Study:
        if self.text.facts_share_position and self.text.template != "symbols":
            raise ValueError("text.facts_share_position: works with template: symbols alone")
        return self

    # ------------------------------------------------------------------------------- what is to be done

    def run_keys(self) -> Iterator[tuple[str, str, int]]:
        """(dataset, method, seed) of every run, each once, in the order of the file."""
        yield from dict.fromkeys(
            (dataset, method, seed)
            for grid in self.runs
            for dataset in grid.datasets
            for method in grid.methods
            for seed in grid.seeds
        )

    def training_of(self, method: str) -> Training:
        """The training settings with the method's own laid over them."""
        return _overlaid(self.training, self.methods[method].training, f"methods.{method}.training")

    def schedule_of(self, dataset: str, method: str) -> Schedule:
        """The dataset's schedule with the method's own laid over it."""
        return _overlaid(
            self.datasets[dataset].schedule, self.methods[method].schedule, f"methods.{method}.schedule"
        )

    def base_seed(self, seed: int) -> int:
        """The base model a run starts from: the study's seeds take the base models in turn."""
        seeds = list(dict.fromkeys(seed for _, _, seed in self.run_keys()))
        return self.base_seeds[seeds.index(seed) % len(self.base_seeds)]

    def basing(self, base_seed: int) -> Basing:
        """All that determines the base model of a seed."""
        return Basing(model=self.model, text=self.text, seed=base_seed)

    def trained_k(self, dataset: str, method: str) -> int:
        """The number of thoughts a run ends its training with."""
        return self.methods[method].final_layout(self.schedule_of(dataset, method)).thoughts

    def asking(self, dataset: str, method: str, seed: int) -> Asking:
        """How a finished run is asked: with its own number of thoughts, and with those of the sweep."""
        schedule = self.schedule_of(dataset, method)
        final = self.methods[method].final_layout(schedule)
        swept = self.sweep.k if method in self.sweep.methods else ()
        return Asking(
            run={"dataset": dataset, "method": method, "seed": seed},
            text=self.text,
            layouts=tuple(final.with_thoughts(k, schedule.c) for k in sorted({*swept, final.thoughts})),
            responding=self.responding,
        )

    def chain(self, dataset: str, method: str, seed: int) -> list[StageSpec]:
        """The stages of a run in training order; runs that agree on a stage have equal specs for it."""
        schedule, row = self.schedule_of(dataset, method), self.methods[method]
        training = self.training_of(method)
        plan = row.plan(schedule)
        in_all = sum(epochs for _, epochs in plan)
        specs: list[StageSpec] = []
        before = 0.0
        for stage, epochs in plan:
            mixed = _mixed(row, schedule, stage, training.mixing)
            specs.append(
                StageSpec(
                    questions=self.datasets[dataset].questions.model_dump(mode="json"),
                    base=self.basing(self.base_seed(seed)),
                    training=training if mixed else _unmixed(training),
                    layout=row.layout(schedule, stage),
                    mixed=mixed,
                    stage=stage,
                    seed=seed,
                    epochs=epochs,
                    epochs_before=before,
                    epochs_in_all=in_all,
                    keep="best" if stage == plan[-1][0] else "last",
                    evaluation=self.responding,
                    parent=specs[-1].id if specs else None,
                )
            )
            before += epochs
        return specs


def _mixed(method: Method, schedule: Schedule, stage: int, mixing: Mixing) -> tuple[Layout, ...]:
    if method.steps != "staged" or mixing.probability == 0:
        return ()
    stages = range(stage) if mixing.stages == "earlier" else range(schedule.stages + 1)
    return tuple(method.layout(schedule, other) for other in stages)


def _unmixed(training: Training) -> Training:
    """Training settings where nothing is mixed in, so that the probability tells no two stages apart."""
    return training.model_copy(update={"mixing": Mixing(probability=0, stages="earlier")})


# ------------------------------------------------------------------------------------------- reading


def read_study(settings: Mapping[str, Any]) -> Study:
    """The study that `settings` (read from YAML) describe; StudyError names the key and what is allowed."""
    try:
        return Study.model_validate(dict(settings))
    except ValidationError as error:
        raise StudyError("\n".join(f"study: {line}" for line in explain(error, Study))) from error


def explain(error: ValidationError, model: type[BaseModel], prefix: str = "") -> list[str]:
    """One sentence for each mistake: the key, what is wrong with it, the nearest key there is."""
    return [_sentence(mistake, model, prefix) for mistake in error.errors()]


def _sentence(mistake: Any, model: type[BaseModel], prefix: str) -> str:
    place = [part for part in mistake["loc"] if part not in ("prosqa", "balanced", "files")]
    key = ".".join([prefix] * bool(prefix) + [str(part) for part in place])
    if mistake["type"] == "extra_forbidden":
        near = get_close_matches(str(place[-1]), _fields(model), n=1)
        return f"{key}: unknown key" + (f"; did you mean {near[0]}?" if near else "")
    if mistake["type"] == "missing":
        return f"{key}: is missing"
    message = mistake["msg"].removeprefix("Value error, ")
    if not key:
        return message
    shown = f" (it is {mistake['input']!r})" if not isinstance(mistake["input"], dict) else ""
    return f"{key}: {message}{shown}"


def _fields(model: Any, seen: frozenset[type] = frozenset()) -> set[str]:
    """Every key anywhere in a settings class."""
    names: set[str] = set()
    for kind in _classes(model):
        if kind not in seen:
            for name, field in kind.model_fields.items():
                names |= {name, *_fields(field.annotation, seen | {kind})}
    return names


def _classes(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [kind for part in getattr(annotation, "__args__", ()) for kind in _classes(part)]


def _known(key: str, names: tuple[str, ...], there: Mapping[str, Any]) -> None:
    for name in names:
        if name not in there:
            near = get_close_matches(name, there, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(there)}"
            raise ValueError(f"{key}: {name} is not defined{hint}")


def _overlaid(settings: Any, own: Mapping[str, Any], key: str) -> Any:
    try:
        return type(settings).model_validate(settings.model_dump() | own)
    except ValidationError as error:
        raise ValueError("; ".join(explain(error, type(settings), key))) from error
