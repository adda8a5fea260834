"""What jobs need from outside the study, looked for before the first of them starts: models, tokenizers and
data sets of the hub, and architectures that transformers can build.

The libraries that know are imported where they are asked: they take seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import shorten
from typing import Any, Literal, NamedTuple

from coconut_study.common.errors import hint
from coconut_study.questions.settings import Hub, Source
from coconut_study.training.settings import Model

TIMEOUT = 3.0  # seconds that the hub has for an answer
UNLISTED = {"rope_theta", "rope_scaling", "head_dim", "torch_dtype"}  # read, but in no default configuration
LOGIN = "log in with `hf auth login`, or set HF_TOKEN"


class Wanted(NamedTuple):
    """What a key names on the hub, unless it is a folder; a copy in the cache has a file like `file`."""

    key: str
    name: str
    file: str
    kind: Literal["model", "dataset"] = "model"
    revision: str | None = None


def mistakes(models: Iterable[Model], sources: Iterable[Source] = ()) -> list[str]:
    """A sentence for all that is not there, or cannot be had."""
    models = list(models)
    wanted = [one for model in models for one in _names(model)]
    hubs = [source.root for source in sources if isinstance(source.root, Hub)]
    wanted += [Wanted("questions.path", hub.path, "*", "dataset", hub.revision) for hub in hubs]
    missing = [one for one in dict.fromkeys(wanted) if not _is_here(one)]
    with ThreadPoolExecutor() as pool:
        found = list(filter(None, pool.map(_refusal, missing)))
    return found + [line for model in models for line in architecture(model.architecture)]


# -------------------------------------------------------------------------------------------------- hub


def _names(model: Model) -> Iterator[Wanted]:
    if model.path is not None:
        yield Wanted("model.path", model.path, "*.safetensors")
    if model.tokenizer != "words":
        yield Wanted("model.tokenizer", model.tokenizer, "tokenizer*")


def _is_here(wanted: Wanted) -> bool:
    """Whether it is a folder, or in the cache of the hub."""
    from huggingface_hub import constants

    repository = f"{wanted.kind}s--{wanted.name.replace('/', '--')}"
    cached = Path(constants.HF_HUB_CACHE, repository).glob(f"snapshots/*/{wanted.file}")
    return Path(wanted.name).expanduser().is_dir() or any(cached)


def _refusal(wanted: Wanted) -> str | None:
    """Why the hub does not give it; None where it does."""
    from huggingface_hub import constants, errors, get_hf_file_metadata, hf_hub_url

    named = f"{wanted.key}: {wanted.name}"
    away = f"{named} is not in {constants.HF_HUB_CACHE}"
    try:
        url = hf_hub_url(wanted.name, ".gitattributes", repo_type=wanted.kind, revision=wanted.revision)
        get_hf_file_metadata(url, timeout=TIMEOUT)
    except errors.GatedRepoError:
        return f"{named} is given on request; ask at {constants.ENDPOINT}/{wanted.name}, then {LOGIN}"
    except errors.RepositoryNotFoundError:
        return f"{named} is neither a folder nor on the hub; if it is private, {LOGIN}"
    except errors.RevisionNotFoundError:
        return f"{named} has no revision {wanted.revision}"
    except errors.EntryNotFoundError:
        return None
    except errors.OfflineModeIsEnabled:
        return f"{away}, and HF_HUB_OFFLINE forbids to fetch it"
    except errors.HFValidationError as error:
        return f"{named} is neither a folder nor a name of the hub ({error})"
    except (errors.HTTPError, OSError) as error:
        return f"{away}, and {constants.ENDPOINT} does not answer ({shorten(str(error), 100)})"
    return None


# ---------------------------------------------------------------------------------------- architectures


def architecture(settings: dict[str, Any] | None) -> list[str]:
    """Why a new model cannot be built, which is tried without weights."""
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
    except Exception as error:  # of many kinds: every architecture says it in its own way
        return [f"{key}: makes no {kind} model ({shorten(f'{type(error).__name__}: {error}', 200)})"]
    return []
