"""The shipped studies for tests: as settings, with some values changed, and as plans."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.utils import update_config

from coconut_study.common.errors import StudyError
from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan

CONFIG = Path(__file__).resolve().parents[1] / "config"
GONE = object()
REMOVAL = {"unit": "step", "per_epoch": 1, "smoothing": None, "limit": None}
ALONE = {
    "comparisons": {},
    "clock": None,
    "ending": None,
    "probing": None,
    "decoding": None,
    "interventions": None,
    "tracing": None,
    "linear": None,
    "attention": None,
    "removal": None,
    "transfer": [],
}


def settings(*names: str) -> dict[str, Any]:
    """The settings of a shipped study, with others laid over them, as the workflow reads them."""
    merged: dict[str, Any] = {}
    for part in ("methods", *names):
        update_config(merged, deepcopy(_read(part)))
    return merged


@cache
def _read(name: str) -> Any:
    return yaml.safe_load((CONFIG / f"{name}.yaml").read_text(encoding="utf-8"))


def with_value(study: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A copy with one value changed, by its dotted key."""
    head, _, rest = key.partition(".")
    return study | {head: with_value(study.get(head, {}), rest, value) if rest else value}


def without(study: dict[str, Any], key: str) -> dict[str, Any]:
    """A copy without one dotted key."""
    head, _, rest = key.partition(".")
    if rest:
        return study | {head: without(study[head], rest)}
    return {name: value for name, value in study.items() if name != head}


def changed(name: str, changes: dict[str, Any]) -> dict[str, Any]:
    """The settings of a shipped study with values changed by their dotted keys; GONE leaves a key out."""
    study = settings(name)
    for key, value in changes.items():
        study = without(study, key) if value is GONE else with_value(study, key, value)
    return study


def smoke(methods: Iterable[str], settings_of: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    """The settings of the smoke study with runs of `methods` on one data set, two seeds, and no experiments.

    `settings_of` defines methods or changes them; `a__b=value` changes the key a.b.
    """
    study = settings("smoke") | ALONE | {"sweep": {"methods": [], "k": []}}
    study |= {"runs": [{"datasets": ["balanced"], "methods": list(methods), "seeds": [1, 2]}]}
    for name, method in (settings_of or {}).items():
        study = with_value(study, f"methods.{name}", method)
    for key, value in values.items():
        study = with_value(study, key.replace("__", "."), value)
    return study


def message_of(study: dict[str, Any]) -> str:
    """The error of a study that is not valid."""
    with pytest.raises(StudyError) as raised:
        read_study(study)
    return str(raised.value)


def plan_of(study: dict[str, Any]) -> Plan:
    """The plan of a study with these settings."""
    return Plan(read_study(study))


PAPER = _read("paper_numbers")["names"]
