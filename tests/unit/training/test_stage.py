"""The training loop: what it must not depend on, and what it must keep."""

from pathlib import Path

import pytest
import torch

from coconut_study.common.errors import StudyError
from coconut_study.engine import checkpoints
from coconut_study.engine.tokenizer import marks_of
from coconut_study.questions.datasets import generate
from coconut_study.sequences.templates import TEMPLATES
from coconut_study.study.definition import Study
from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan
from coconut_study.training import base_model, pretrain, stage

from ...studies import settings


@pytest.fixture(scope="module")
def study() -> Study:
    return read_study(settings("smoke"))


@pytest.fixture(scope="module")
def splits(study):
    return generate(study.datasets["balanced"].questions.root)


@pytest.fixture
def start(study, splits):
    texts = map(TEMPLATES["prose"].text, splits["train"])
    return base_model.make(study.model, 0, texts)


def trained(spec, start, splits, parent=Path("nowhere")):
    model, tokenizer = start
    trainer = stage.StageTrainer(spec, model, tokenizer, splits["train"], splits["valid"])
    return trainer, trainer.run(parent)


def batches(trainer, n):
    """The first batches of the stage."""
    return [trainer._sequences(0, number) for number in range(n)]


def weights(trainer):
    return {name: value.clone() for name, value in trainer.learner.model.state_dict().items()}


def changed(spec, **training):
    return spec.model_copy(update={"training": spec.training.model_copy(update=training)})


@pytest.fixture
def stages(study):
    return Plan(study).chain("balanced", "coconut", 1)


def test_a_stage_depends_on_its_spec_alone(stages, study, splits):
    texts = list(map(TEMPLATES["prose"].text, splits["train"]))
    runs = [trained(stages[1], base_model.make(study.model, 0, texts), splits) for _ in range(2)]
    (one, first), (two, second) = runs
    assert first == second
    assert all(torch.equal(a, b) for a, b in zip(weights(one).values(), weights(two).values(), strict=True))


@pytest.mark.parametrize("redraw", [True, False])
def test_mirror_questions_stand_in_one_batch_where_they_are_wanted_together(stages, start, splits, redraw):
    found = {}
    for mirrors in ("together", "apart"):
        spec = changed(stages[2], mirrors=mirrors, redraw=redraw)
        trainer = stage.StageTrainer(spec, *start, splits["train"], splits["valid"])
        sequences = [one for batch in batches(trainer, 2) for one in batch]
        found[mirrors] = sum(
            trainer._split(sequences[i : i + 2])[0].beginnings is not None
            for i in range(0, len(sequences), 2)
        )
        chosen = [i for number in range(trainer._steps(1)) for i in trainer._chosen(number)]
        assert sorted(chosen) == list(range(len(splits["train"])))
    assert found["together"] == len(sequences) // 2
    assert found["apart"] < found["together"] // 2


def test_how_a_batch_is_split_changes_nothing_but_rounding(stages, study, splits):
    """Without dropout, whose draws depend on the split."""
    texts = list(map(TEMPLATES["prose"].text, splits["train"]))
    still = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    settings_ = study.model.model_copy(update={"architecture": study.model.architecture | still})
    found = []
    for size in (None, 4):
        model, tokenizer = base_model.make(settings_, 0, texts)
        trainer, _ = trained(changed(stages[1], micro_batch_size=size), (model.double(), tokenizer), splits)
        found.append(weights(trainer))
    for name in found[0]:
        torch.testing.assert_close(found[0][name], found[1][name], rtol=0, atol=1e-9)


def test_a_batch_too_large_for_the_memory_is_halved_and_learns_the_same(stages, study, splits, monkeypatch):
    texts = list(map(TEMPLATES["prose"].text, splits["train"]))
    still = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    settings_ = study.model.model_copy(update={"architecture": study.model.architecture | still})
    update, sizes = stage.Learner.update, []

    def small(self, batches, rate):
        sizes.append(max(len(batch.tokens_BT) for batch in batches))
        if sizes[-1] > 6:
            raise torch.OutOfMemoryError
        return update(self, batches, rate)

    found = []
    for memory in ("enough", "little"):
        if memory == "little":
            monkeypatch.setattr(stage.Learner, "update", small)
        model, tokenizer = base_model.make(settings_, 0, texts)
        spec = changed(stages[1], micro_batch_size=None)
        trainer, _ = trained(spec, (model.double(), tokenizer), splits)
        found.append(weights(trainer))
    assert sizes[:3] == [16, 8, 4]
    assert set(sizes[2:]) == {4}
    for name in found[0]:
        torch.testing.assert_close(found[0][name], found[1][name], rtol=0, atol=1e-9)


def test_parts_of_a_batch_are_of_like_length_and_make_it_up(stages, start, splits):
    model, tokenizer = start
    spec = changed(stages[1], mirrors="apart")
    trainer = stage.StageTrainer(spec, model, tokenizer, splits["train"], splits["valid"])
    (sequences,) = batches(trainer, 1)
    parts = trainer._split(sequences)
    lengths = [batch.mask_BT.sum(dim=1).tolist() for batch in parts]
    assert [len(part) for part in lengths] == [8, 8]
    assert sorted(lengths[0] + lengths[1]) == lengths[0] + lengths[1] == sorted(map(len, sequences))


def test_mirror_questions_stay_together_in_the_parts_of_a_batch(stages, start, splits):
    trainer = stage.StageTrainer(
        changed(stages[1], mirrors="together"), *start, splits["train"], splits["valid"]
    )
    (sequences,) = batches(trainer, 1)
    parts = trainer._split(sequences)
    assert [len(part.beginnings.first_G) for part in parts] == [4, 4]
    assert sum(len(part.target_N) for part in parts) == sum(sequence.n_loss for sequence in sequences)


def test_the_optimizer_goes_on_over_a_stage_when_it_is_never_reset(stages, study, splits, tmp_path):
    """Two epochs in one stage equal one epoch, saved, and one epoch more."""
    texts = list(map(TEMPLATES["prose"].text, splits["train"]))
    spec = changed(stages[0], reset_optimizer="never")
    spec = spec.model_copy(update={"keep": "last", "epochs": 2.0, "epochs_in_all": 2.0})
    whole, _ = trained(spec, base_model.make(study.model, 0, texts), splits)
    first, _ = trained(
        spec.model_copy(update={"epochs": 1.0}), base_model.make(study.model, 0, texts), splits
    )
    first.learner.save(tmp_path)
    model, tokenizer = first.learner.model, first.tokenizer
    trainer = stage.StageTrainer(spec, model, tokenizer, splits["train"], splits["valid"])
    trainer.learner.load(tmp_path)
    trainer.running = trainer._begun(1)
    trainer._train_epoch(1, 4)
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(trainer)[name]), name


def test_questions_too_long_for_the_model_are_refused_before_training(stages, study, splits):
    texts = list(map(TEMPLATES["prose"].text, splits["train"]))
    short = study.model.model_copy(update={"architecture": study.model.architecture | {"n_positions": 64}})
    with pytest.raises(StudyError, match=r"takes \d+ positions, the model has 64"):
        trained(stages[0], base_model.make(short, 0, texts), splits)


def test_questions_longer_than_a_sliding_window_are_refused_before_training(stages, study, splits):
    texts = list(map(TEMPLATES["prose"].text, splits["train"]))
    architecture = {
        "model_type": "mistral", "num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": 1,
        "hidden_size": 16, "intermediate_size": 16, "sliding_window": 48, "max_position_embeddings": 512,
    }  # fmt: skip
    windowed = study.model.model_copy(update={"architecture": architecture})
    with pytest.raises(StudyError, match=r"takes \d+ positions, the model has 48"):
        trained(stages[0], base_model.make(windowed, 0, texts), splits)


def test_the_best_epoch_of_the_last_stage_is_kept(stages, start, splits, monkeypatch):
    accuracies = iter([0.9, 0.2, 0.6, 0.6, 0.1])
    seen = []

    def accuracy(self):
        seen.append(weights(self))
        return next(accuracies)

    monkeypatch.setattr(stage.StageTrainer, "accuracy", accuracy)
    spec = stages[-1].model_copy(update={"epochs": 4.0})
    assert spec.keep == "best"
    trainer, history = trained(spec, start, splits)
    assert [row.accuracy for row in history[1:]] == [0.2, 0.6, 0.6, 0.1]
    assert all(torch.equal(weights(trainer)[name], seen[3][name]) for name in seen[2])


def test_mixing_draws_earlier_stages_with_its_probability_and_its_own_stream(stages, start, splits):
    model, tokenizer = start
    spec = changed(stages[2], mixing=stages[2].training.mixing.model_copy(update={"probability": 0.5}))
    trainer = stage.StageTrainer(spec, model, tokenizer, splits["train"], splits["valid"])
    found = [row for batch in batches(trainer, 4) for row in batch]
    thoughts = [row.thoughts for row in found]
    assert set(thoughts) == {0, 1, 2}
    assert 0.3 < sum(k < 2 for k in thoughts) / len(thoughts) < 0.7
    plain = stage.StageTrainer(
        changed(stages[2]).model_copy(update={"mixed": ()}),
        model,
        tokenizer,
        splits["train"],
        splits["valid"],
    )
    questions = [row.before for batch in batches(plain, 4) for row in batch]
    assert [row.before for row in found] == questions  # mixing moves no other draw


def test_the_learning_rate_warms_up_and_decays_over_the_whole_run(stages, start, splits):
    spec = changed(stages[1], warmup=1, decay=1, learning_rate=1.0)
    model, tokenizer = start
    trainer = stage.StageTrainer(spec, model, tokenizer, splits["train"], splits["valid"])
    assert [round(trainer._rate(step), 2) for step in range(13)] == [
        0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0.25,
    ]  # fmt: skip


def test_a_checkpoint_is_an_ordinary_folder_with_its_card(start, tmp_path):
    model, tokenizer = start
    checkpoints.save(tmp_path, model, tokenizer, {"thoughts": 2})
    again, words = checkpoints.load(tmp_path)
    assert checkpoints.card(tmp_path)["thoughts"] == 2
    assert marks_of(words) == marks_of(tokenizer)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(StudyError, match=str(tmp_path)):
        checkpoints.load(tmp_path)


def test_a_folder_without_a_card_is_no_checkpoint(tmp_path):
    with pytest.raises(StudyError, match="not a checkpoint of this study"):
        checkpoints.load(tmp_path)


@pytest.mark.parametrize("template", ["symbols", "prose"])
def test_pretraining_predicts_walked_nodes_alone(study, splits, template):
    texts = map(TEMPLATES[template].text, splits["train"])
    model, tokenizer = base_model.make(study.model, 0, texts)
    settings_ = read_study(settings("quick")).model.pretraining.model_copy(
        update={"steps": 20, "warmup": 0, "decay": 0, "batch_size": 4}
    )
    text = study.text.model_copy(update={"template": template})
    pretrainer = pretrain.Pretrainer(model, tokenizer, splits["train"], settings_, text, 0)
    pages = [pretrainer._page() for _ in range(3)]
    batch = pretrainer._batch(pages)
    expected = [w for page in pages for _, walked in page.walks for w in tokenizer(walked)["input_ids"]]
    assert batch.target_N.tolist() == expected
    reports = pretrainer.run(reports=4)
    assert [report.step for report in reports] == [5, 10, 15, 20]
    assert reports[-1].loss < reports[0].loss
    assert all(report.loss > report.floor > 0 for report in reports)
