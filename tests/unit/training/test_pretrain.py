"""Pretraining of a new base model."""

import pytest

from coconut_study.sequences.templates import TEMPLATES
from coconut_study.study.load import read_study
from coconut_study.training import base_model, pretrain

from ...studies import settings


@pytest.mark.parametrize("template", ["symbols", "prose"])
def test_pretraining_predicts_walked_nodes_alone(study, splits, template):
    texts = map(TEMPLATES[template].text, splits["train"])
    model, tokenizer = base_model.make(study.model, 0, texts)
    settings_ = read_study(settings("quick")).model.pretraining.model_copy(
        update={"steps": 20, "warmup": 0, "decay": 0, "batch_size": 4}
    )
    text = study.text.model_copy(update={"template": template})
    pretrainer = pretrain.Pretrainer(model, tokenizer, splits["train"], settings_, text, 0)
    pages = [pretrainer.draw_page() for _ in range(3)]
    batch = pretrainer.batch(pages)
    expected = [w for page in pages for _, walked in page.walks for w in tokenizer(walked)["input_ids"]]
    assert batch.target_N.tolist() == expected
    reports = pretrainer.run(reports=4)
    assert [report.step for report in reports] == [5, 10, 15, 20]
    assert reports[-1].loss < reports[0].loss
    assert all(report.loss > report.floor > 0 for report in reports)
