"""Reading a study: `like` is written out, and every contradiction is found before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from unicodedata import bidirectional, category

from pydantic import ValidationError

from coconut_study.common.errors import StudyError, check_defined, explain
from coconut_study.common.settings import merged
from coconut_study.study import checks
from coconut_study.study.definition import Study
from coconut_study.study.plan import Plan

# Categories of characters that are not text (control characters, halves of surrogate pairs, line separators,
# ...), and the directions of those that turn around the text after them.
HIDDEN = ("Cc", "Cs", "Cn", "Zl", "Zp")
TURNS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def read_study(settings: Mapping[str, Any], paper: Mapping[str, Any] | None = None) -> Study:
    """The study that `settings` (read from YAML) describe; StudyError names each wrong key and what is right.

    `paper` holds the names of the paper's data sets and methods. If it is given, every `paper` key of the
    study must be one of them.
    """
    if wrong := [*_unshown(settings)]:
        raise _refused(wrong)
    written = _written_out(settings)
    try:
        study = Study.model_validate(written)
    except ValidationError as error:
        raise _refused(explain(error, Study)) from error
    wrong = checks.mistakes(Plan(study))
    if not wrong and paper is not None:
        wrong = checks.papers(study, paper)
    if wrong:
        raise _refused(wrong)
    return study


def _unshown(settings: Any, key: str = "") -> Iterator[str]:
    """A sentence for each text, key or value, with a character that files and pages cannot show."""
    if isinstance(settings, str):
        for sign in settings:
            if (category(sign) in HIDDEN and sign not in "\n\t") or bidirectional(sign) in TURNS:
                yield f"{key}: has the character U+{ord(sign):04X}, which cannot be shown; leave it out"
                break
    elif isinstance(settings, Mapping):
        for name, value in settings.items():
            yield from _unshown(name, f"{key}.{name}".lstrip("."))
            yield from _unshown(value, f"{key}.{name}".lstrip("."))
    elif isinstance(settings, list):
        for number, value in enumerate(settings):
            yield from _unshown(value, f"{key}.{number}")


def _refused(wrong: Iterable[str]) -> StudyError:
    return StudyError("\n".join(f"study: {line}" for line in wrong))


def _written_out(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with every `like: other` replaced by the settings of the other method, and without the
    comparisons that a second file sets to null."""
    written = dict(settings)
    if isinstance(methods := written.get("methods"), Mapping):
        wrong = [line for name in methods for line in checks.messages_of(_method, name, methods)]
        if wrong:
            raise _refused(dict.fromkeys(wrong))
        written["methods"] = {name: _method(name, methods) for name in methods}
    if isinstance(comparisons := written.get("comparisons"), Mapping):
        written["comparisons"] = {name: one for name, one in comparisons.items() if one is not None}
    return written


def _method(name: str, methods: Mapping[str, Any], seen: tuple[str, ...] = ()) -> Any:
    """A method with the settings of the method that it is like, but not with its row of the paper."""
    method = methods[name]
    if not isinstance(method, Mapping) or "like" not in method:
        return method
    other = str(method["like"])
    if other in (*seen, name):
        raise ValueError(f"methods.{name}.like: leads back to its own method")
    check_defined(f"methods.{name}.like", (other,), methods)
    model = _method(other, methods, (*seen, name))
    if not isinstance(model, Mapping):
        raise ValueError(f"methods.{other}: is not a mapping of settings (it is {model!r})")
    own = {key: value for key, value in method.items() if key != "like"}
    return merged({key: value for key, value in model.items() if key != "paper"}, own)
