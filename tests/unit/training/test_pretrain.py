"""Pretraining of a new base model."""

from hashlib import sha256

import numpy as np
import pytest

from coconut_study.questions.datasets import generate
from coconut_study.questions.graphs import CONCEPTS, PERSONS, fault
from coconut_study.sequences.templates import TEMPLATES
from coconut_study.training import base_model, pretrain
from coconut_study.training.settings import Growth, Pretraining

from ...studies import settings

SHORT = {"steps": 20, "warmup": 0, "decay": 0, "batch_size": 4}


@pytest.fixture
def make(study):
    """Makes a pretrainer of a tiny model, with the settings of a shipped study or others."""

    def made(questions, template="symbols", like="quick", **others):
        settings_ = Pretraining.model_validate(settings(like)["model"]["pretraining"] | SHORT | others)
        text = study.text.model_copy(
            update={"template": template, "facts_share_position": template == "symbols"}
        )
        model, tokenizer = base_model.make(study.model, 0, map(TEMPLATES[template].text, questions))
        return pretrain.Pretrainer(model, tokenizer, questions, settings_, text, 0)

    return made


@pytest.fixture(scope="session")
def large(study):
    """ProsQA questions: 17 persons and 38 concepts have names, a graph has fewer nodes."""
    return generate(study.datasets["prosqa"].questions.root)["train"]


def names_of(page):
    return set(page.facts.split())


@pytest.mark.parametrize("template", ["symbols", "prose"])
def test_pretraining_predicts_walked_nodes_alone(make, splits, template):
    pretrainer = make(splits["train"], template)
    pages = [pretrainer.draw_page(0) for _ in range(3)]
    batch = pretrainer.batch(pages)
    tokenizer = pretrainer.tokenizer
    expected = [w for page in pages for _, walked in page.walks for w in tokenizer(walked)["input_ids"]]
    assert batch.target_N.tolist() == expected
    reports = pretrainer.run(reports=4)
    assert [report.step for report in reports] == [5, 10, 15, 20]
    assert reports[-1].loss < reports[0].loss
    assert all(report.loss > report.floor > 0 for report in reports)


@pytest.mark.parametrize(
    ("template", "digest"), [("symbols", "aaf8d89618498952"), ("prose", "a3184075c061f7b4")]
)
def test_pages_are_the_recorded_ones_where_a_graph_has_all_names(make, splits, template, digest):
    """Recorded when graphs had the first names of the lists: then the names in use are those of a graph."""
    pretrainer = make(splits["train"], template)
    pages = [pretrainer.draw_page(0) for _ in range(100)]
    text = "\n".join(page.facts + "".join(start + rest for start, rest in page.walks) for page in pages)
    assert sha256(text.encode()).hexdigest()[:16] == digest


def test_pretraining_shows_every_name_of_the_questions(make, large):
    """In miniature what `scratch` does: its settings, a small model, more names than a graph has nodes."""
    pretrainer = make(large, like="scratch", precision="no", growth={"facts": 4, "until": 10})
    pages = {step: [pretrainer.draw_page(step) for _ in range(40)] for step in (0, 5, 10)}
    assert set.union(*map(names_of, pages[10])) == {*PERSONS, *CONCEPTS}
    assert max(map(len, map(names_of, pages[10]))) < len({*PERSONS, *CONCEPTS})
    n_names = [len(set.union(*map(names_of, pages[step]))) for step in pages]
    assert n_names == sorted(set(n_names))
    assert pretrainer.run(reports=1)[0].loss > 0


def test_the_names_in_use_are_those_of_the_questions(splits, large):
    graphs = [question.graph for question in splits["train"]]
    assert pretrain.names_in_use(graphs) == (2, 8)
    assert pretrain.names_in_use(graphs + [question.graph for question in large]) == (17, 38)


def test_facts_grow_with_the_square_of_the_update():
    growth = Growth(facts=4, until=100)
    assert [pretrain.facts_shown(growth, step, 36) for step in (0, 50, 100, 200)] == [4, 12, 36, 36]
    assert pretrain.facts_shown(growth, 0, 3) == 3
    assert pretrain.facts_shown(None, 0, 36) == 36


def test_a_part_has_the_wanted_facts_of_its_graph_and_no_other_persons(large):
    rng = np.random.default_rng(0)
    for question in large:
        graph = question.graph
        assert fault(graph) is None
        facts = {(graph.names[head], graph.names[tail]) for head, tail in graph.edges}
        persons = {graph.names[node] for node in graph.persons}
        for n in (1, 4, len(facts) - 1, len(facts)):
            part = pretrain.part(graph, n, rng.permutation(len(facts)))
            shown = {(part.names[head], part.names[tail]) for head, tail in part.edges}
            assert len(shown) == n
            assert shown <= facts
            assert {name for fact in shown for name in fact} == {*part.names}
            assert {part.names[node] for node in part.persons} <= persons


def test_few_facts_lie_anywhere_among_the_places_of_all(make, large):
    pretrainer = make(large, growth={"facts": 4, "until": 10})
    pages = [pretrainer.draw_page(0) for _ in range(100)]
    assert {len(page.places) for page in pages} == {4}
    assert len({place for page in pages for place in page.places}) > 8
    for page, positions in zip(pages, pretrainer.batch(pages).positions_BT.tolist(), strict=True):
        facts = [place for place in page.places for _ in range(2)]
        assert positions[:8] == facts
        assert positions[8 : 8 + page.n_steps] == [*range(page.n_places, page.n_places + page.n_steps)]


def test_growth_that_outlasts_pretraining_is_refused():
    with pytest.raises(ValueError, match=r"growth.until: 21 exceeds the 20 updates of steps"):
        Pretraining.model_validate(
            settings("quick")["model"]["pretraining"] | SHORT | {"growth": {"facts": 4, "until": 21}}
        )
