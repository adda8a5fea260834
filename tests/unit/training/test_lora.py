"""Low-rank adapters: they and the marks learn, the model stays, and a checkpoint holds nothing else."""

from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from coconut_study.common.errors import StudyError
from coconut_study.engine import checkpoints
from coconut_study.engine import forward as engine
from coconut_study.engine.batches import collate
from coconut_study.engine.tokenizer import marks_of
from coconut_study.sequences.builder import build, tokenize
from coconut_study.sequences.templates import TEMPLATES
from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan
from coconut_study.training import base_model, lora
from coconut_study.training.settings import Lora
from coconut_study.training.stage import StageTrainer

from ...conftest import ARCHITECTURES
from ...studies import settings, with_value

LORA = {"rank": 2, "alpha": 4, "dropout": 0.1, "targets": None}


def lora_study(model_type, **lora):
    sizes = ARCHITECTURES[model_type]
    room = {key: 256 for key in ("n_positions",) if key in sizes} or {"max_position_embeddings": 256}
    study = settings("smoke") | {"comparisons": {}}
    study = with_value(study, "model.architecture", {"model_type": model_type, **sizes, **room})
    return read_study(with_value(study, "model.lora", LORA | lora))


def logits(model, tokenizer, spec, questions):
    """What is predicted in eval mode for some questions with a thought."""
    template = TEMPLATES[spec.base.text.template]
    marks = marks_of(tokenizer)
    rows = [build(one, spec.layout, marks) for one in tokenize(questions, template, tokenizer, shared=False)]
    with torch.no_grad():
        return engine.predictions(model.eval(), collate(rows, marks.pad))


def base_weights(model):
    """The weights that are not the adapters', by the names they have without adapters."""
    names = {
        name: name.replace(".token_adapter", "").replace(".base_layer", "") for name in model.state_dict()
    }
    own = {name for name in names if "lora_" not in name and "trainable_tokens_delta" not in name}
    return {names[name]: value.clone() for name, value in model.state_dict().items() if name in own}


def adapted(trainer):
    return {name: value.clone() for name, value in trainer.learner.learning.items()}


@pytest.fixture(scope="module", params=list(ARCHITECTURES))
def stage(request, splits, tmp_path_factory):
    """A trained first stage: the base model on disk, what was before, the trainer, and the checkpoint."""
    study = lora_study(request.param)
    spec = Plan(study).chain("balanced", "coconut", 1)[1]
    folder = tmp_path_factory.mktemp("lora")
    at = {name: folder / name for name in ("base", "stage")}
    for path in at.values():
        path.mkdir()
    made, tokenizer = base_model.make(study.model, 0, map(TEMPLATES["prose"].text, splits["train"]))
    checkpoints.save(at["base"], made, tokenizer, {})
    model, _ = checkpoints.load(at["base"])
    before = base_weights(model)
    embedded = model.get_input_embeddings().weight.detach().clone()
    plain = logits(model, tokenizer, spec, splits["valid"])
    trainer = StageTrainer(spec, model, tokenizer, splits["train"], splits["valid"])
    fresh = logits(trainer.learner.model, tokenizer, spec, splits["valid"])
    history = trainer.run()
    checkpoints.save(at["stage"], trainer.learner.model, tokenizer, {"thoughts": 1})
    return SimpleNamespace(
        spec=spec, at=at, before=before, embedded=embedded, plain=plain, fresh=fresh, trainer=trainer,
        tokenizer=tokenizer, history=history, next=Plan(study).chain("balanced", "coconut", 1)[2],
    )  # fmt: skip


def test_new_adapters_change_nothing_before_the_first_update(stage):
    assert torch.equal(stage.fresh, stage.plain)


def test_the_weights_of_the_model_stay_as_they_are(stage):
    after = base_weights(stage.trainer.learner.model)
    assert stage.before.keys() <= after.keys()
    for name, value in stage.before.items():
        assert torch.equal(value, after[name]), name


def test_adapters_alone_learn(stage):
    names = set(stage.trainer.learner.learning)
    assert any("lora_A" in name for name in names)
    assert any("trainable_tokens_delta" in name for name in names)
    assert all("lora_" in name or "trainable_tokens_delta" in name for name in names)
    raised = [value for name, value in adapted(stage.trainer).items() if "lora_B" in name]
    assert all(value.abs().max() > 0 for value in raised)  # they begin at 0


def test_of_the_embeddings_those_of_the_marks_alone_change(stage):
    model = stage.trainer.learner.model
    with torch.no_grad():
        after = model.get_input_embeddings()(torch.arange(len(stage.embedded)))
    changed = (after != stage.embedded).any(dim=1).nonzero()[:, 0].tolist()
    marks = marks_of(stage.tokenizer)
    assert {marks.bot, marks.eot} <= set(changed) <= set(marks.added)


def fresh(stage, splits, seed=1, **training):
    """The trainer of the stage before its first update."""
    model, _ = checkpoints.load(stage.at["base"])
    changed = {"seed": seed, "training": stage.spec.training.model_copy(update=training)}
    spec = stage.spec.model_copy(update=changed)
    return StageTrainer(spec, model, stage.tokenizer, splits["train"], splits["valid"])


def assert_equal(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_new_adapters_depend_on_the_seed_of_the_run_alone(stage, splits):
    one, again, other = (adapted(fresh(stage, splits, seed)) for seed in (1, 1, 2))
    assert_equal(one, again)
    assert all(not torch.equal(one[name], other[name]) for name in one if "lora_A" in name)


def test_gradient_checkpointing_trains_the_same_adapters(stage, splits):
    trainers = []
    for saving in (False, True):
        torch.manual_seed(0)
        trainers.append(fresh(stage, splits, gradient_checkpointing=saving))
        trainers[-1].train_epoch(0)
    assert_equal(*map(adapted, trainers))


def test_training_moves_the_predictions(stage, splits):
    after = logits(stage.trainer.learner.model, stage.tokenizer, stage.spec, splits["valid"])
    assert not torch.allclose(after, stage.plain)


def test_a_checkpoint_holds_adapters_alone_and_names_its_base(stage):
    assert not list(stage.at["stage"].glob("model*"))
    held = load_file(stage.at["stage"] / "adapter_model.safetensors")
    assert sum(value.numel() for value in held.values()) == sum(
        value.numel() for value in stage.trainer.learner.learning.values()
    )
    written = (stage.at["stage"] / "adapter_config.json").read_text()
    assert str(stage.at["base"]) in written


def test_a_checkpoint_is_loaded_with_equal_logits(stage, splits):
    model, _ = checkpoints.load(stage.at["stage"])
    expected = logits(stage.trainer.learner.model, stage.tokenizer, stage.spec, splits["valid"])
    assert torch.equal(logits(model, stage.tokenizer, stage.spec, splits["valid"]), expected)


@pytest.mark.parametrize("folder", ["base", "stage"])
def test_a_checkpoint_reads_the_words_as_it_was_taught(stage, splits, folder):
    _, tokenizer = checkpoints.load(stage.at[folder])
    assert marks_of(tokenizer) == marks_of(stage.tokenizer)
    text = TEMPLATES["prose"].text(splits["train"][0]).question
    assert tokenizer(text)["input_ids"] == stage.tokenizer(text)["input_ids"]


def test_training_goes_on_from_a_checkpoint(stage, splits, tmp_path):
    model, _ = checkpoints.load(stage.at["stage"])
    tokenizer = stage.tokenizer
    assert lora.has_adapters(model)
    trainer = StageTrainer(stage.next, model, tokenizer, splits["train"], splits["valid"])
    before, first = adapted(trainer), adapted(stage.trainer)
    assert before.keys() == first.keys()
    assert all(torch.equal(before[name], first[name]) for name in first)
    trainer.run()
    after = adapted(trainer)
    assert all(not torch.equal(after[name], before[name]) for name in after)
    own = base_weights(trainer.learner.model)
    assert all(torch.equal(own[name], value) for name, value in stage.before.items())
    checkpoints.save(tmp_path, trainer.learner.model, tokenizer, {})
    again, _ = checkpoints.load(tmp_path)
    expected = logits(trainer.learner.model, tokenizer, stage.next, splits["valid"])
    assert torch.equal(logits(again, tokenizer, stage.next, splits["valid"]), expected)


def test_a_loaded_checkpoint_is_frozen_until_it_is_unfrozen(stage):
    model, _ = checkpoints.load(stage.at["stage"])
    assert not any(parameter.requires_grad for parameter in model.parameters())
    lora.unfreeze(model)
    learning = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert learning == set(stage.trainer.learner.learning)


def test_layers_that_are_not_there_are_refused(model, marks):
    with pytest.raises(StudyError, match=r"model.lora: .*nowhere"):
        lora.add_adapters(model, Lora.model_validate(LORA | {"targets": ["nowhere"]}), marks.added)


def test_chosen_layers_alone_get_adapters(marks):
    from ...conftest import tiny

    model = tiny("llama")
    assert not lora.has_adapters(model)
    lora.add_adapters(model, Lora.model_validate(LORA | {"targets": ["k_proj"]}), marks.added)
    assert lora.has_adapters(model)
    layers = {name.split(".lora_")[0] for name, _ in model.named_parameters() if "lora_" in name}
    assert layers == {f"model.layers.{layer}.self_attn.k_proj" for layer in range(2)}
