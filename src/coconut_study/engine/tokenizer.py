"""Tokenizers: any Hugging Face one by name or path, or a word-level one made from the questions.

Four marks are added once, when the base model is made, and travel with every checkpoint.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast
from transformers.models.auto.tokenization_auto import get_tokenizer_config

from coconut_study.common.errors import StudyError, one_line
from coconut_study.sequences.builder import Marks
from coconut_study.sequences.templates import WORD, Text

BOT, EOT, THOUGHT, PAUSE = "<bot>", "<eot>", "<thought>", "<pause>"
MARKS = (BOT, EOT, THOUGHT, PAUSE)
GENERIC = ("PreTrainedTokenizerFast", "TokenizersBackend")  # classes with nothing but what their file says
UNKNOWN, END = "<unk>", "<eos>"


def marks_of(tokenizer: PreTrainedTokenizerBase) -> Marks:
    """The marks of a tokenizer that has them; StudyError when it does not."""
    known = tokenizer.get_vocab()
    if not all(mark in known for mark in MARKS):
        raise StudyError(
            f"{tokenizer.name_or_path}: the tokenizer has no {', '.join(MARKS)}; start from a base checkpoint"
        )
    if tokenizer.eos_token is None:
        raise StudyError(f"{tokenizer.name_or_path}: the tokenizer has no end-of-sequence token")
    bot, eot, thought, pause = (known[mark] for mark in MARKS)
    eos = known[str(tokenizer.eos_token)]
    return Marks(bot, eot, thought, pause, eos, pad=known.get(str(tokenizer.pad_token), eos))


def load_tokenizer(name: str | os.PathLike[str]) -> PreTrainedTokenizerBase:
    """The tokenizer of a hub name or folder, of the class it says it has.

    AutoTokenizer goes by the model beside it where that is of a known kind, and would split words as that
    model's own tokenizer does.
    """
    try:
        own = get_tokenizer_config(name).get("tokenizer_class") in GENERIC
        kind = PreTrainedTokenizerFast if own else AutoTokenizer
        return kind.from_pretrained(name, trust_remote_code=False)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise StudyError(f"{name}: no tokenizer there ({one_line(error)})") from error


def word_level(texts: Iterable[Text]) -> PreTrainedTokenizerFast:
    """A tokenizer that knows the words of `texts`, one token each; punctuation and line ends are words."""
    words = {word for text in texts for part in (text.question, *text.steps, text.answer)
             for word in WORD.findall(part)}  # fmt: skip
    vocabulary = {word: i for i, word in enumerate([UNKNOWN, END, *sorted(words)])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(WORD.pattern), behavior="removed", invert=True)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token=UNKNOWN, eos_token=END, clean_up_tokenization_spaces=False
    )


def add_marks(tokenizer: PreTrainedTokenizerBase) -> None:
    """Add the four marks where they are missing."""
    tokenizer.add_special_tokens({"additional_special_tokens": list(MARKS)})
