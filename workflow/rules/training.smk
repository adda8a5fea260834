"""The base model and training, one job per stage.

REQUIRED INPUTS:   <results>/data/{dataset}/{train.jsonl,valid.jsonl,card.json}
OUTPUTS:           <results>/base/seed{seed}-{id}/   <results>/<stage>/checkpoint/   <results>/<stage>/history.csv
                   <results>/<stage>/card.json, the card of a checkpoint that is removed (machine.keep: last)
NOT DECLARED:      <results>/<stage>/state/, from which an interrupted stage continues
"""

# A stage whose checkpoint is removed, as <stage>. Snakemake ignores `wildcard_constraints` of wildcards in pathvars.
REMOVED = f"stages/{{dataset}}/seed{{seed}}/stage{{stage}}-{{id,{'|'.join(sorted(plan.removed))}}}"


def stage_of(wildcards):
    """The specification of a stage."""
    return plan.stages[wildcards.id]


def parent(wildcards):
    """The checkpoint that a stage starts from."""
    run = Run(wildcards.dataset, "", int(wildcards.seed))
    return plan.parent_folder(run, stage_of(wildcards))


def to_make(paths):
    """The files among some that can be made without training again: not a card that is gone with its checkpoint, which
    a run that was asked for by the name of one of its files leaves."""
    gone = {
        card
        for card in plan.saved_cards(plan.runs)
        if Path(card).with_name("history.csv").exists()
        and not Path(card).exists()
        and not Path(card).with_name("checkpoint").exists()
    }
    return [path for path in paths if path not in gone]


def minutes_ahead(wildcards):
    """The priority of a base model or stage."""
    return plan.minutes_ahead[wildcards.id]


def asked_every_epoch(wildcards, input):
    """The options for questions and rewrites that are asked after every epoch; none without them."""
    return "--rewrites {} --rewrites-card {}".format(*input.rewrites) if input.rewrites else ""


def processes(wildcards):
    """The options of Python that start training: one process, or one per GPU."""
    gpus = plan.needs("train", wildcards.dataset).gpus
    return f"-m torch.distributed.run --standalone --nproc-per-node={gpus}" if gpus > 1 else ""


def training_runtime(wildcards):
    """What a stage may take, the same for every attempt, since each continues where the last one ended."""
    return ceil(plan.training_minutes(wildcards.dataset, stage_of(wildcards))) + START_MINUTES


rule base:
    input:
        questions=lambda wildcards: plan.vocabulary(plan.bases[wildcards.id]),
        cards=lambda wildcards: plan.vocabulary_cards(plan.bases[wildcards.id]),
    output:
        checkpoint=directory("<results>/base/seed{seed}-{id}"),
    log:
        "<logs>/base/seed{seed}-{id}.log",
    benchmark:
        "<benchmarks>/base/seed{seed}-{id}.tsv"
    priority: minutes_ahead
    threads: plan.needs("base").threads
    resources:
        **job_resources("base"),
    params:
        code=code("base"),
        settings=lambda wildcards: plan.bases[wildcards.id].model_dump_json(),
        cards=lambda wildcards, input: [part for card in input.cards for part in ("--card", card)],
    shell:
        ON_GPUS + r"""python -m coconut_study base \
            --settings {params.settings:q} \
            --out {output.checkpoint:q} {params.cards:q} \
            {input.questions:q} &>{log:q}
        """


rule train:
    input:
        parent=parent,
        train="<results>/data/{dataset}/train.jsonl",
        valid="<results>/data/{dataset}/valid.jsonl",
        card="<results>/data/{dataset}/card.json",
        rewrites=lambda wildcards: plan.rewrites(wildcards.dataset),
    output:
        checkpoint=directory("<results>/<stage>/checkpoint"),
        history="<results>/<stage>/history.csv",
    log:
        "<logs>/train/{dataset}/seed{seed}/stage{stage}-{id}.log",
    benchmark:
        "<benchmarks>/train/{dataset}/seed{seed}/stage{stage}-{id}.tsv"
    priority: minutes_ahead
    threads: need("train", "threads")
    resources:
        **job_resources("train") | {"runtime": training_runtime},
        save_minutes=study.machine.save_minutes,
    params:
        code=code("train"),
        spec=lambda wildcards: stage_of(wildcards).model_dump_json(),
        processes=processes,
        rewrites=asked_every_epoch,
    # exec: without it, a signal to end the job would end its shell first, and the state would not be saved.
    shell:
        "exec " + ON_GPUS + r"""python {params.processes} -m coconut_study train \
            --spec {params.spec:q} \
            --parent {input.parent:q} \
            --train {input.train:q} \
            --valid {input.valid:q} \
            --card {input.card:q} \
            --checkpoint {output.checkpoint:q} \
            --history {output.history:q} \
            --minutes {resources.save_minutes} {params.rewrites} &>{log:q}
        """


if plan.removed:

    ruleorder: train_earlier > train

    use rule train as train_earlier with:
        output:
            checkpoint=temp(directory(f"<results>/{REMOVED}/checkpoint")),
            history=f"<results>/{REMOVED}/history.csv",

    rule stage_card:
        """The card of a checkpoint that will be removed: it says what the stage took."""
        input:
            checkpoint="<results>/<stage>/checkpoint",
        output:
            card=f"<results>/{REMOVED}/card.json",
        priority: 1 + max(plan.minutes_ahead.values())  # before any stage: the checkpoint can go
        localrule: True
        shell:
            "cp {input.checkpoint:q}/card.json {output.card:q}"


rule checkpoints:
    """Every run trained to its last stage."""
    input:
        [plan.last_checkpoint(run) for run in plan.runs],
        to_make(plan.saved_cards(plan.runs)),
