"""Tokenizers: any Hugging Face one by name or path, or a word-level one made from the questions.

Four marks (<bot>, <eot>, <thought>, <pause>) are added when the base model is made, and saved with every
checkpoint.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping

from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast
from transformers.models.auto.tokenization_auto import get_tokenizer_config

from coconut_study.common.errors import StudyError, explained
from coconut_study.sequences.builder import Marks
from coconut_study.sequences.templates import WORD, Text

BOT, EOT, THOUGHT, PAUSE = "<bot>", "<eot>", "<thought>", "<pause>"
MARKS = (BOT, EOT, THOUGHT, PAUSE)
GENERIC = ("PreTrainedTokenizerFast", "TokenizersBackend")  # classes that only follow their tokenizer.json
UNKNOWN, END = "<unk>", "<eos>"
WORDS = pre_tokenizers.Split(Regex(WORD.pattern), behavior="removed", invert=True)


def marks_of(tokenizer: PreTrainedTokenizerBase) -> Marks:
    """The token ids of the marks; StudyError if the tokenizer lacks one or has no end-of-sequence token."""
    known = tokenizer.get_vocab()
    if not all(mark in known for mark in MARKS):
        raise StudyError(
            f"{tokenizer.name_or_path}: the tokenizer lacks some of {', '.join(MARKS)}; "
            "start from a base checkpoint"
        )
    if tokenizer.eos_token is None:
        raise StudyError(f"{tokenizer.name_or_path}: the tokenizer has no end-of-sequence token")
    bot, eot, thought, pause = (known[mark] for mark in MARKS)
    eos = known[str(tokenizer.eos_token)]
    return Marks(bot, eot, thought, pause, eos, pad=known.get(str(tokenizer.pad_token), eos))


def load_tokenizer(name: str | os.PathLike[str]) -> PreTrainedTokenizerBase:
    """The tokenizer of a hub name or folder, of the class that its configuration names.

    AutoTokenizer alone would choose the class by the type of the model in the same folder, and then split
    words as that model's original tokenizer does.
    """
    with explained(f"{name}: no tokenizer there"):
        generic = get_tokenizer_config(name).get("tokenizer_class") in GENERIC
        kind = PreTrainedTokenizerFast if generic else AutoTokenizer
        return kind.from_pretrained(name, trust_remote_code=False)


def word_level(texts: Iterable[Text]) -> PreTrainedTokenizerFast:
    """A tokenizer with one token for each word of `texts`; punctuation marks and line ends are words too."""
    words = {word for text in texts for part in (text.question, *text.steps, text.answer)
             for word in WORD.findall(part)}  # fmt: skip
    vocabulary = {word: i for i, word in enumerate([UNKNOWN, END, *sorted(words)])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = WORDS
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token=UNKNOWN, eos_token=END, clean_up_tokenization_spaces=False
    )


def word_ids(tokenizer: PreTrainedTokenizerBase) -> Mapping[str, int] | None:
    """The token of every word, <unk> for one that is not known, of a tokenizer that `word_level` made.

    It takes less time to look the words of a text up than to call the tokenizer. None for other tokenizers.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or backend.normalizer is not None or not isinstance(backend.model, models.WordLevel):
        return None
    if backend.pre_tokenizer is None or backend.pre_tokenizer.__getstate__() != WORDS.__getstate__():
        return None
    known = tokenizer.get_vocab()
    return defaultdict(lambda: known[UNKNOWN], known)


def add_marks(tokenizer: PreTrainedTokenizerBase) -> None:
    """Add the four marks that the tokenizer does not have yet."""
    tokenizer.add_special_tokens({"additional_special_tokens": list(MARKS)})
