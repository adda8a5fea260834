"""Checks before the first job: are models, tokenizers, data sets and files of questions available, and can
transformers build the architectures?

Libraries that take seconds to import are imported where they are used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import shorten
from typing import Any, Literal, NamedTuple

from coconut_study.common.errors import hint
from coconut_study.questions.settings import Files, Hub, Source
from coconut_study.training.settings import Model

TIMEOUT = 3.0  # seconds to wait for an answer of the hub
# Keys that are read, but have no default in a configuration.
UNLISTED = {"rope_theta", "rope_scaling", "head_dim", "torch_dtype"}
# Files of which a cached model or tokenizer has at least one.
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "adapter_model.safetensors")
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")
LOGIN = "log in with `hf auth login`, or set HF_TOKEN"


class Wanted(NamedTuple):
    """A folder, or a model or data set on the hub, that a key names; a cached model has one of `files`."""

    key: str
    name: str
    files: tuple[str, ...] = ()
    kind: Literal["model", "dataset"] = "model"
    revision: str | None = None


def mistakes(models: Iterable[Model], sources: Iterable[Source] = ()) -> list[str]:
    """One sentence for each model, tokenizer, data set and architecture that is not available."""
    models, sources = list(models), list(sources)
    wanted = [one for model in models for one in _wanted(model)]
    hubs = [source.root for source in sources if isinstance(source.root, Hub)]
    wanted += [Wanted("questions.path", hub.path, kind="dataset", revision=hub.revision) for hub in hubs]
    missing = [one for one in dict.fromkeys(wanted) if not _is_local(one)]
    with ThreadPoolExecutor() as pool:
        sentences = list(filter(None, pool.map(_problem, missing)))
    sentences += [line for source in sources if isinstance(source.root, Files) for line in files(source.root)]
    return sentences + [line for model in models for line in architecture(model.architecture)]


# ------------------------------------------------------------------------------------------------ files


def files(source: Files) -> list[str]:
    """One sentence that names the files of questions that are not there; none if all are."""
    paths = dict.fromkeys(file.path for file in (source.train, source.valid, source.test))
    missing = [path for path in paths if not Path(path).is_file()]
    if not missing:
        return []
    return [f"questions: no file {', '.join(missing)}; put it there, or choose another data set in runs"]


# -------------------------------------------------------------------------------------------------- hub


def _wanted(model: Model) -> Iterator[Wanted]:
    if model.path is not None:
        yield Wanted("model.path", model.path, WEIGHTS)
    if model.tokenizer != "words":
        yield Wanted("model.tokenizer", model.tokenizer, TOKENIZER)


def _is_local(wanted: Wanted) -> bool:
    """True for a folder, and for what is in the cache of the hub."""
    from huggingface_hub import constants, errors, try_to_load_from_cache

    if Path(wanted.name).expanduser().is_dir():
        return True
    if wanted.kind == "dataset":  # `datasets` caches by commit, without the name of a revision
        folder = Path(constants.HF_HUB_CACHE, f"datasets--{wanted.name.replace('/', '--')}")
        return any(folder.glob("snapshots/*/*"))
    try:
        return any(isinstance(try_to_load_from_cache(wanted.name, file), str) for file in wanted.files)
    except errors.HFValidationError:
        return False


def _problem(wanted: Wanted) -> str | None:
    """Why the hub does not give a model or data set; None if it does."""
    from huggingface_hub import constants, errors, get_hf_file_metadata, hf_hub_url

    name = f"{wanted.key}: {wanted.name}"
    not_cached = f"{name} is not in {constants.HF_HUB_CACHE}"
    try:
        url = hf_hub_url(wanted.name, ".gitattributes", repo_type=wanted.kind, revision=wanted.revision)
        get_hf_file_metadata(url, timeout=TIMEOUT)
    except errors.GatedRepoError:
        return f"{name} needs permission; ask for it at {constants.ENDPOINT}/{wanted.name}, then {LOGIN}"
    except errors.RepositoryNotFoundError:
        return f"{name} is neither a folder nor on the hub; if it is private, {LOGIN}"
    except errors.RevisionNotFoundError:
        return f"{name} has no revision {wanted.revision}"
    except errors.EntryNotFoundError:
        return None
    except errors.OfflineModeIsEnabled:
        return f"{not_cached}, and HF_HUB_OFFLINE forbids the download"
    except errors.HFValidationError as error:
        return f"{name} is neither a folder nor a name of the hub ({error})"
    except (errors.HTTPError, OSError) as error:
        return f"{not_cached}, and {constants.ENDPOINT} does not answer ({shorten(str(error), 100)})"
    return None


# ---------------------------------------------------------------------------------------- architectures


def architecture(settings: dict[str, Any] | None) -> list[str]:
    """Why transformers cannot build a new model, as sentences; it is built without weights to find out."""
    if settings is None:
        return []
    import torch
    from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForCausalLM

    key, kind = "model.architecture", str(settings["model_type"])
    own = {name: value for name, value in settings.items() if name != "model_type"}
    if kind not in CONFIG_MAPPING:
        return [f"{key}.model_type: {kind} is not known to transformers{hint(kind, CONFIG_MAPPING)}"]
    config = AutoConfig.for_model(kind)
    known = {*config.to_dict(), *config.attribute_map}
    if wrong := own.keys() - known - UNLISTED:
        return [f"{key}.{name}: unknown key of {kind}{hint(name, known)}" for name in sorted(wrong)]
    try:
        with torch.device("meta"):
            AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **own))
    except Exception as error:  # each architecture raises errors of its own
        return [f"{key}: makes no {kind} model ({shorten(f'{type(error).__name__}: {error}', 200)})"]
    return []
