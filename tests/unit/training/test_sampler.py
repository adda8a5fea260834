"""Batches of a stage: order, mixing, and what iCoT leaves of the chain."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from coconut_study.common.errors import StudyError
from coconut_study.common.seeds import stream
from coconut_study.engine.tokenizer import add_marks, word_level
from coconut_study.questions.frontiers import frontier
from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import by_graph, from_graphs, redraw
from coconut_study.sequences.builder import build, tokenize
from coconut_study.sequences.methods import Removal
from coconut_study.sequences.templates import TEMPLATES, WORD
from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan
from coconut_study.training import base_model
from coconut_study.training.micro_batches import split
from coconut_study.training.sampler import Sampler
from coconut_study.training.settings import DrawnThoughts

from ...studies import ALONE, settings, with_value
from .conftest import changed, trained


def removing(unit="token", per_epoch=1.0, smoothing=None, limit=None):
    return Removal(unit=unit, per_epoch=per_epoch, smoothing=smoothing, limit=limit)


def updates(trainer):
    """The sequences of every update."""
    batches = []
    for epoch, n in enumerate(trainer.schedule.steps_by_epoch()):
        trainer.sampler.start_epoch(epoch)
        for number in range(n):
            removed = trainer.schedule.removed(trainer.schedule.first_step(epoch) + number)
            batches.append(trainer.sampler.batch(number, removed))
    return batches


def sequences(sampler, n):
    """The sequences of the first batches of an epoch."""
    return [one for number in range(n) for one in sampler.batch(number, removed=0)]


@pytest.mark.parametrize("redraw", [True, False])
def test_mirror_questions_are_in_one_batch_if_the_settings_say_so(stages, base, splits, redraw):
    n_shared = {}
    for mirrors in ("together", "apart"):
        sampler = Sampler(changed(stages[2], mirrors=mirrors, redraw=redraw), base[1], splits["train"])
        rows = sequences(sampler, 2)
        pairs = [split(rows[i : i + 2], 2, 0, share_prefixes=True)[0] for i in range(0, len(rows), 2)]
        n_shared[mirrors] = sum(pair.prefixes is not None for pair in pairs)
        chosen = [i for number in range(4) for i in sampler.chosen(number)]
        assert sorted(chosen) == list(range(len(splits["train"])))
    assert n_shared["together"] == len(rows) // 2
    assert n_shared["apart"] < n_shared["together"] // 2


def test_mixing_draws_earlier_stages_with_its_probability_and_its_own_stream(stages, base, splits):
    spec = changed(stages[2], mixing=stages[2].training.mixing.model_copy(update={"probability": 0.5}))
    rows = sequences(Sampler(spec, base[1], splits["train"]), 4)
    thoughts = [row.thoughts for row in rows]
    assert set(thoughts) == {0, 1, 2}
    assert 0.3 < sum(k < 2 for k in thoughts) / len(thoughts) < 0.7
    plain = Sampler(stages[2].model_copy(update={"mixed": ()}), base[1], splits["train"])
    assert [row.before for row in rows] == [row.before for row in sequences(plain, 4)]  # no other draw moves


def test_rising_mixing_draws_stage_i_of_those_up_to_its_own_in_proportion_to_i_plus_one(study, base, splits):
    rising = with_value(settings("smoke") | ALONE, "training.mixing.weight", "rising")
    chain = Plan(read_study(with_value(rising, "training.mixing.probability", 1))).chain(
        "balanced", "coconut", 1
    )
    assert [len(spec.mixed) for spec in chain[:3]] == [0, 2, 3]
    assert chain[0] == Plan(study).chain("balanced", "coconut", 1)[0]  # mixes nothing in
    rows = sequences(Sampler(chain[2], base[1], splits["train"] * 10), 40)
    drawn = Counter(row.thoughts for row in rows)
    for stage in range(3):
        assert drawn[stage] / len(rows) == pytest.approx((stage + 1) / 6, abs=0.06)


def test_equal_mixing_leaves_the_ids_of_stages_as_they_are(stages):
    assert "weight" not in stages[2].training.mixing.model_dump()


def with_targets(spec, targets):
    return spec.model_copy(update={"targets": targets, "mixed": ()})


def texts(base, rows):
    """What follows the thoughts, in words."""
    return [base[1].decode(row.after[-row.n_loss :]) for row in rows]


@pytest.mark.parametrize("stage", [0, 1])
def test_frontier_targets_are_all_nodes_at_the_distance_of_the_next_step(stages, base, splits, stage):
    question = max(splits["train"], key=lambda one: len(frontier(one.graph, stage + 1)))
    nodes = frontier(question.graph, stage + 1)
    assert len(nodes) > 1
    spec = with_targets(changed(stages[stage], redraw=False), "frontier")
    found = texts(base, sequences(Sampler(spec, base[1], [question] * 400), 25))
    assert all("#" not in text and text.endswith(base[1].eos_token) for text in found)
    drawn = Counter(WORD.findall(text.split(" is a ")[1])[0] for text in found)
    assert set(drawn) == {question.graph.names[node] for node in nodes}
    assert min(drawn.values()) > 0.7 * len(found) / len(nodes)  # each about as often


def test_frontier_targets_are_facts_of_the_question_with_its_names(stages, base, splits):
    rows = sequences(
        Sampler(with_targets(changed(stages[1], redraw=True), "frontier"), base[1], splits["train"]), 2
    )
    for row, text in zip(rows, texts(base, rows), strict=True):
        fact = text.split(".")[0].strip()
        assert fact in base[1].decode(row.before)


def chain(base, splits):
    """A question whose frontiers have one node each."""
    persons, concepts = splits["train"][0].graph.names[:2], splits["train"][0].graph.names[2:7]
    graph = Graph((*persons, *concepts), ((0, 2), (2, 3), (3, 4), (1, 5), (5, 6)), 0, 4, 6)
    [question] = from_graphs([graph], np.random.default_rng(0))
    return question


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_with_one_candidate_it_is_coconut_up_to_the_end_of_the_step(stages, base, splits, stage):
    question = chain(base, splits)
    spec = changed(stages[stage], redraw=False)
    coconut, ours = (
        sequences(Sampler(with_targets(spec, targets), base[1], [question]), 1)[0]
        for targets in ("path", "frontier")
    )
    step = tokenize([question], TEMPLATES["prose"], base[1], shared=False)[0].steps[stage:]
    n = len(coconut.after) - coconut.n_loss + len(step[0])
    assert ours.after == [*coconut.after[:n], base[1].eos_token_id]
    assert ours.prompt == coconut.prompt
    assert ours.positions == coconut.positions[: len(ours)]


def test_where_no_step_is_left_it_is_coconut(stages, base, splits):
    short = [replace(one, steps=one.steps[:1]) for one in splits["train"]]
    coconut, ours = (
        sequences(Sampler(with_targets(stages[1], targets), base[1], short), 1)
        for targets in ("path", "frontier")
    )
    assert ours == coconut


def test_frontiers_move_no_other_draw(stages, base, splits):
    spec = changed(stages[2], redraw=True)
    coconut, ours = (
        sequences(Sampler(spec.model_copy(update={"targets": targets}), base[1], splits["train"]), 2)
        for targets in ("path", "frontier")
    )
    assert [one.prompt for one in ours] == [one.prompt for one in coconut]
    assert ours != coconut


def test_frontiers_need_graphs(stages, base, splits):
    plain = [replace(one, graph=None) for one in splits["train"]]
    with pytest.raises(StudyError, match="targets: frontier needs training questions with graphs"):
        Sampler(with_targets(stages[1], "frontier"), base[1], plain)


def test_only_stages_with_written_steps_have_targets(study):
    frontier, coconut = (Plan(study).chain("balanced", name, 1) for name in ("frontier", "coconut"))
    assert [spec.targets for spec in coconut] == ["path"] * len(coconut)
    assert [spec.targets for spec in frontier][:2] == ["frontier"] * 2
    assert "targets" not in coconut[1].model_dump()


def test_thoughts_are_drawn_by_the_steps_of_a_question(stages, base, splits):
    train = [splits["train"][0], replace(splits["train"][1], steps=splits["train"][1].steps[:1])] * 32
    spec = stages[2].model_copy(
        update={"mixed": (), "extra": DrawnThoughts(c=1, thoughts=2, probability=0.5)}
    )
    sampler = Sampler(spec, base[1], train)
    drawn = {1: [], 2: []}
    for number in range(4):
        for i, row in zip(sampler.chosen(number), sampler.batch(number, removed=0), strict=True):
            drawn[len(train[i].steps)].append(row.thoughts)
    assert (set(drawn[1]), set(drawn[2])) == ({1, 3}, {2, 4})  # its steps, or two more
    more = [k > 2 for ks in drawn.values() for k in ks]
    assert 0.3 < sum(more) / len(more) < 0.7


def test_additional_thoughts_count_for_the_longest_question(stages, base, splits):
    def check(thoughts):
        extra = DrawnThoughts(c=1, thoughts=thoughts, probability=0.5)
        sampler = Sampler(stages[2].model_copy(update={"extra": extra}), base[1], splits["train"])
        sampler.check_lengths(base[0], sampler.tokenize(splits["valid"]))

    check(1)
    with pytest.raises(StudyError, match=r"stage 2: the longest question takes 10.. positions"):
        check(1000)


def test_only_stages_with_thoughts_draw_their_number(study):
    extra = {"thoughts": 1, "probability": 0.5}
    varied = with_value(settings("smoke") | ALONE, "datasets.balanced.schedule.extra", extra)
    plain, drawn = (
        {m: Plan(one).chain("balanced", m, 1) for m in ("coconut", "cot", "without_thought")}
        for one in (study, read_study(varied))
    )
    assert [spec.extra is not None for spec in drawn["coconut"]] == [False, True, True]
    assert drawn["cot"] == plain["cot"]
    assert drawn["without_thought"] == plain["without_thought"]
    assert drawn["coconut"][0].id == plain["coconut"][0].id
    assert not {"extra", "following"} & plain["coconut"][2].model_dump().keys()


def test_a_sampler_continues_from_its_state(stages, base, splits):
    sampler = Sampler(changed(stages[2], redraw=True), base[1], splits["train"])
    sampler.start_epoch(1)
    sampler.batch(0, removed=0)
    state = json.loads(json.dumps(sampler.state()))
    following = sampler.batch(1, removed=0)
    again = Sampler(sampler.spec, base[1], splits["train"])
    again.load_state(1, state)
    assert again.batch(1, removed=0) == following


@pytest.mark.parametrize("mirrors", ["together", "apart"])
@pytest.mark.parametrize("shared", [True, False])
def test_questions_redrawn_as_tokens_are_those_redrawn_as_text(splits, mirrors, shared):
    study = settings("smoke") | ALONE
    study = with_value(study, "text", {"template": "symbols", "facts_share_position": shared})
    spec = changed(
        Plan(read_study(study)).chain("balanced", "coconut", 1)[1], redraw=True, mirrors=mirrors
    ).model_copy(update={"mixed": ()})
    template, train = TEMPLATES["symbols"], splits["train"]
    tokenizer = word_level(map(template.text, train))
    add_marks(tokenizer)
    pools = {"persons": 2, "concepts": 12}  # the tokenizer knows the words of 8 concepts
    sampler = Sampler(spec.model_copy(update={"questions": spec.questions | pools}), tokenizer, train)
    for epoch in (0, 1):
        sampler.start_epoch(epoch)
        rng = stream("names", spec.seed, spec.stage, epoch)
        for number in range(4):
            asked = [train[i] for i in sampler.chosen(number)]
            groups = by_graph(asked) if mirrors == "together" else [[i] for i in range(len(asked))]
            drawn = [one for group in groups for one in redraw([asked[i] for i in group], rng, **pools)]
            tokens = tokenize(drawn, template, tokenizer, shared=shared)
            assert sampler.batch(number, 0) == [build(one, spec.layout, sampler.marks) for one in tokens]


# ---------------------------------------------------------------------------------------------- lengths


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


# ------------------------------------------------------------------------------------------------ iCoT


def written(question, tokens=0):
    """The words of a chain that has lost tokens, and of the answer."""
    text = TEMPLATES["prose"].text(question)
    return WORD.findall("".join(text.steps))[tokens:] + WORD.findall(text.answer)


def words(trainer, sequence):
    assert sequence.after[-1] == trainer.sampler.marks.eos
    return trainer.tokenizer.convert_ids_to_tokens(sequence.after[:-1])


@pytest.mark.parametrize(
    ("removal", "gone"),
    [
        (removing("token", 6), [0, 1, 3, 4, 6, 7, 9, 10, 12, 13, 13, 13]),
        (removing("token", 2, limit=3), [0, 0, 1, 1, 2, 2, 13, 13, 13, 13, 13, 13]),
        (removing("step", 1), [0, 0, 0, 0, 6, 6, 6, 6, 13, 13, 13, 13]),
    ],
)
def test_every_update_trains_on_what_is_left_of_the_chain(icot, splits, removal, gone):
    trainer = icot(removal)
    of = {
        tuple(one.question): question
        for one, question in zip(trainer.sampler.tokens, splits["train"], strict=True)
    }
    for tokens, update in zip(gone, updates(trainer), strict=True):
        for sequence in update:
            assert words(trainer, sequence) == written(of[tuple(sequence.before)], tokens)


def test_the_last_sequences_are_those_of_no_cot(icot):
    with_icot, no_cot = icot(removing("step", 1)), icot(removing("step", 1), method="no_cot")
    ours, theirs = updates(with_icot), updates(no_cot)
    assert ours[8:] == theirs[8:]
    assert all(ours[step] != theirs[step] for step in range(8))
    assert with_icot.spec.layout == no_cot.spec.layout


def test_smoothing_takes_more_from_some_questions_and_never_the_answer(icot):
    smoothing = icot(removing("token", 6, smoothing=0.5))
    plain = icot(removing("token", 6))
    lost = [
        [len(two.after) - len(one.after) for one, two in zip(*updates, strict=True)]
        for updates in zip(updates(smoothing), updates(plain), strict=True)
    ]
    early = [tokens for update in lost[:4] for tokens in update]
    assert {0, 1, 2} <= set(early)
    assert min(early) == 0
    assert all(tokens == 0 for update in lost[9:] for tokens in update)
    answers = {tuple(one.question): one.answer for one in smoothing.sampler.tokens}
    assert all(
        row.after[-len(answers[tuple(row.before)]) :] == answers[tuple(row.before)]
        for update in updates(smoothing)
        for row in update
    )
