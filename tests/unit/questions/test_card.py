"""The card of questions: what is written on it, and what is refused when it is compared."""

import json

import pytest

from coconut_study.common.errors import StudyError
from coconut_study.questions import card as cards

MADE = {"source": "balanced", "sizes": {"train": 4, "test": 2}, "hops": [2, 3], "seed": 0}


@pytest.fixture
def card(tmp_path):
    files = {split: tmp_path / f"{split}.jsonl" for split in ("train", "valid", "test")}
    for split, path in files.items():
        path.write_text(split)
    cards.write(tmp_path / "card.json", MADE, files)
    return tmp_path / "card.json"


def refused(check, *arguments):
    with pytest.raises(StudyError) as raised:
        check(*arguments)
    return str(raised.value)


def test_a_card_has_settings_hashes_and_versions_and_no_time(card):
    facts = json.loads(card.read_text())
    assert facts["settings"] == MADE
    assert list(facts) == ["settings", "sha256", "commit", "python", "versions"]
    assert list(facts["sha256"]) == ["train", "valid", "test"]
    before = card.read_bytes()
    cards.write(card, MADE, {split: card.with_name(f"{split}.jsonl") for split in facts["sha256"]})
    assert card.read_bytes() == before


def test_what_a_card_describes_passes(card):
    cards.check(card, {"train": card.with_name("train.jsonl")}, MADE)
    cards.check(None, {"train": card.with_name("nowhere.jsonl")}, {"seed": 1})
    cards.check_trained(card, {"valid": cards.read(card).sha256["valid"]}, card)
    cards.check_trained(None, {"valid": "0"}, card)
    assert cards.difference(card, MADE) is None
    assert cards.outdated({card: MADE, card.with_name("none.json"): {}}) == []


def test_another_file_is_refused(card):
    path = card.with_name("train.jsonl")
    assert refused(cards.check, card, {"valid": path}) == (
        f"{path}: not the valid questions that {card} describes (their sha256 differs); remove {card.parent} "
        "to have the questions made again"
    )
    assert "describes train, valid, test, and no few questions" in refused(cards.check, card, {"few": path})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 1}, "seed: 0, but the study has seed: 1"),
        ({"sizes": {"train": 8, "test": 2}}, "sizes.train: 4, but the study has sizes.train: 8"),
        ({"hops": [2, 4]}, "hops: [2, 3], but the study has hops: [2, 4]"),
        ({"steps": 3}, "no steps, but the study has steps: 3"),
    ],
)
def test_other_settings_are_refused(card, change, words):
    said = refused(cards.check, card, {}, MADE | change)
    assert said == (
        f"{card}: the questions were made with {words}; restore the setting, or remove the folder of the "
        "card to have the questions made again"
    )
    assert cards.outdated({card: MADE | change}) == [said.partition(";")[0]]


def test_a_checkpoint_that_was_trained_on_other_questions_is_named(card):
    assert refused(cards.check_trained, card, {"valid": "0" * 64}, "stage2") == (
        f"{card}: describes other valid questions than those that stage2 was trained on (their sha256 "
        "differs); restore the questions, or remove stage2 to train again"
    )


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"settings": 1}', "\ud800"])
def test_a_damaged_card_is_one_sentence(card, text):
    card.write_bytes(text.encode(errors="surrogatepass"))
    said = refused(cards.read, card)
    assert said.startswith(f"{card}")
    assert "\n" not in said
    assert cards.outdated({card: MADE}) == [said]
