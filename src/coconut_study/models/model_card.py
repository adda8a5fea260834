"""What accompanies the checkpoint of a trained stage on its way to others: a model card, `README.md`, and
`custom_generate/generate.py`, with which `generate()` of transformers answers as the model was trained to.

This study reads neither, and the card of the checkpoint has no checksum of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from pprint import pformat
from typing import Any

from huggingface_hub import ModelCard, ModelCardData
from transformers import PreTrainedTokenizerBase

from coconut_study.engine.tokenizer import GENERIC, marks_of, word_ids
from coconut_study.models import custom_generate
from coconut_study.models.model import Spec
from coconut_study.questions.question import Question
from coconut_study.sequences.methods import Layout
from coconut_study.sequences.templates import TEMPLATES

README, GENERATE = "README.md", "custom_generate/generate.py"
HUB_NAME = re.compile(r"(?:[\w-][\w.-]*/)?[\w-][\w.-]*")

NO_SETTINGS = "SETTINGS: dict[str, Any] = {}"  # a line of `custom_generate`
KINDS = {
    "continuous": "continuous thoughts (last hidden states that are fed back as inputs)",
    "soft": "soft thoughts (expected embeddings of the next token that are fed back as inputs)",
    "pause": "pause tokens",
    "loops": "loops (more passes over the whole sequence)",
}
WRITTEN = {
    "prose": "its facts and what is asked, and a line end",
    "symbols": "the two names of every fact, `?`, the two options, `|`, and the name that is asked about",
}
PAGE = """
# Trained with {method}

Ask this model with the package `coconut-study`:

```python
from coconut_study import load

model = load("FOLDER")  # the folder of this file, or the name of its repository on the hub
print(model.ask({question}).text)
```

{bare}

{own_way}

## Training

{rows}

`card.json` has the whole specification of this stage of training, and the versions of the libraries.
"""
BARE = """**A bare `generate()` of transformers leaves out {left_out}, without a word: what it then
writes is not what the model was trained to write.**"""
COMPLETE = """This model has neither thoughts nor shared positions, so `generate()` of transformers leaves
nothing out."""
OWN_WAY = """With PyTorch and transformers alone, `{path}` answers as the package does:

```python
from transformers import AutoModelForCausalLM, {tokenizer}

tokenizer = {tokenizer}.from_pretrained("FOLDER")
model = AutoModelForCausalLM.from_pretrained("FOLDER")
inputs = tokenizer({text}, return_tensors="pt", add_special_tokens=False)
ids = model.generate(**inputs, custom_generate="FOLDER", trust_remote_code=True)
print(tokenizer.decode(ids[0]))
```

The text of a question is {written}. Responses are greedy. Pad a batch on the left."""
NO_OWN_WAY = "Only the package knows which tokens of a text share positions."


def write(
    folder: Path, spec: Mapping[str, Any], question: Question, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Write both files into the folder of a checkpoint; what they hold depends on the arguments alone.

    `spec` is the specification on the card of the checkpoint, `question` an example. If facts share positions
    and the tokenizer does not show where they end, there is no `generate.py`.
    """
    known = Spec.model_validate(spec)
    if settings := _settings(known, tokenizer):
        source = Path(custom_generate.__file__).read_text(encoding="utf-8")
        filled = NO_SETTINGS.replace("{}", pformat(settings, sort_dicts=False))
        (folder / GENERATE).parent.mkdir(exist_ok=True)
        (folder / GENERATE).write_text(source.replace(NO_SETTINGS, filled), encoding="utf-8", newline="\n")
    base = _hub_name(spec["base"]["model"]["path"])
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["coconut", known.layout.kind],
        base_model=base,
    )
    page = PAGE.format(
        method=_method(known.layout),
        question=_literal(question.question),
        bare=_bare(known),
        own_way=_own_way(known, question, tokenizer) if settings else NO_OWN_WAY,
        rows="\n".join(f"- {name}: {text}" for name, text in _rows(spec, known.layout, base).items()),
    )
    ModelCard(f"---\n{data.to_yaml()}\n---\n{page}").save(folder / README)


def _settings(spec: Spec, tokenizer: PreTrainedTokenizerBase) -> dict[str, Any] | None:
    """What `custom_generate` knows of a model; None if facts share positions that it could not find."""
    marks, layout, facts_end = marks_of(tokenizer), spec.layout, None
    if spec.base.text.facts_share_position:
        words = word_ids(tokenizer)
        if words is None:
            return None
        facts_end = words["?"]
    return {
        "kind": layout.kind,
        "thoughts": layout.thoughts,
        "iterations": layout.iterations,
        "markers": layout.markers,
        "facts_end": facts_end,
        "max_new_tokens": spec.evaluation.max_new_tokens,
        **{name: getattr(marks, name) for name in ("bot", "eot", "pause", "eos", "pad")},
    }


def _method(layout: Layout) -> str:
    """What a layout has in place of steps."""
    if layout.thoughts:
        return f"{layout.thoughts} {KINDS[layout.kind]}"
    return "written steps" if layout.hidden == 0 and not layout.removed else "no thoughts"


def _bare(spec: Spec) -> str:
    """What a bare `generate()` does with a model."""
    layout = spec.layout
    parts = {
        f"the {KINDS.get(layout.kind, '').partition(' (')[0]}": bool(layout.thoughts),
        "the marks around them": layout.markers,
        "the positions that facts share": spec.base.text.facts_share_position,
    }
    left_out = [part for part, is_there in parts.items() if is_there]
    return BARE.format(left_out=", and ".join(left_out)) if left_out else COMPLETE


def _own_way(spec: Spec, question: Question, tokenizer: PreTrainedTokenizerBase) -> str:
    """How a model is asked with transformers alone."""
    name, template = type(tokenizer).__name__, spec.base.text.template
    return OWN_WAY.format(
        path=GENERATE,
        tokenizer="PreTrainedTokenizerFast" if name in GENERIC else "AutoTokenizer",
        text=_literal(TEMPLATES[template].text(question).question),
        written=WRITTEN[template],
    )


def _rows(spec: Mapping[str, Any], layout: Layout, base: str | None) -> dict[str, str]:
    """What a model was trained on, and how, as far as the specification of its last stage says it.

    Names of files and folders are left out.
    """
    questions, model, training = spec["questions"], spec["base"]["model"], spec["training"]
    numbers = {
        name: n for name, n in questions.items() if not (isinstance(n, str | dict) or name == "shards")
    }
    shown = questions.get("sizes", {}) | numbers
    hidden = "all" if layout.hidden is None else f"the first {layout.hidden}" if layout.hidden else "none"
    origin = f"`{base}`" if base else "a model in a local folder"
    if model["architecture"]:
        pretrained = "pretrained on the facts of the questions" if model["pretraining"] else "not pretrained"
        origin = f"a new {model['architecture']['model_type']} model, {pretrained}"
    return {
        "method": _method(layout) + (", between `<bot>` and `<eot>`" if layout.markers else ""),
        "hidden steps": hidden,
        "questions": ", ".join([questions["source"], *(f"{name} {one}" for name, one in shown.items())]),
        "base model": origin + (", with low-rank adapters" if model["lora"] else ""),
        "stage": str(spec["stage"]),
        "seed": f"{spec['seed']} (of the base model: {spec['base']['seed']})",
        "epochs": f"{spec['epochs']:g} of {spec['epochs_in_all']:g} in all",
        "learning rate, batch size": f"{training['learning_rate']:g}, {training['batch_size']}",
    }


def _hub_name(path: str | None) -> str | None:
    """The name of a model on the hub; None for a folder and for no model."""
    return path if path and HUB_NAME.fullmatch(path) and not Path(path).is_dir() else None


def _literal(text: str) -> str:
    """Text in quotes as Python reads it, without the character that ends a block of code in Markdown."""
    return repr(text).replace("`", "\\x60")
