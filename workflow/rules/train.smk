"""The base model and training, one job a stage.

REQUIRED INPUTS:   <results>/data/{dataset}/{train,valid}.jsonl
OUTPUTS:           <results>/base/seed{seed}/   <results>/<stage>/checkpoint/   <results>/<stage>/history.csv
"""


def stage_spec(wildcards):
    """All that determines the stage."""
    return STAGES[wildcards.id].model_dump_json()


def base_settings(wildcards):
    """All that determines a base model."""
    return study.basing(int(wildcards.seed)).model_dump_json()


rule base:
    input:
        questions=base_questions,
        code=code("base") + code("pretrain") * bool(study.model.pretraining),
    output:
        checkpoint=directory("<results>/base/seed{seed}"),
    log:
        "<logs>/base/seed{seed}.log",
    benchmark:
        "<benchmarks>/base/seed{seed}.tsv"
    resources:
        mem_mb=study.machine.memory_mb,
        runtime=study.machine.minutes,
    params:
        settings=base_settings,
    shell:
        r"""
        python -m coconut_study base \
            --settings {params.settings:q} \
            --out {output.checkpoint:q} \
            {input.questions:q} &>{log:q}
        """


rule train:
    input:
        parent=parent_checkpoint,
        train="<results>/data/{dataset}/train.jsonl",
        valid="<results>/data/{dataset}/valid.jsonl",
        code=code("train"),
    output:
        checkpoint=directory("<results>/<stage>/checkpoint"),
        history="<results>/<stage>/history.csv",
    log:
        "<logs>/train/{dataset}/seed{seed}/stage{stage}-{id}.log",
    benchmark:
        "<benchmarks>/train/{dataset}/seed{seed}/stage{stage}-{id}.tsv"
    resources:
        gpu=study.machine.gpus,
        mem_mb=study.machine.memory_mb,
        runtime=study.machine.minutes,
    params:
        spec=stage_spec,
    shell:
        r"""
        python -m coconut_study train \
            --spec {params.spec:q} \
            --parent {input.parent:q} \
            --train {input.train:q} \
            --valid {input.valid:q} \
            --checkpoint {output.checkpoint:q} \
            --history {output.history:q} &>{log:q}
        """


rule checkpoints:
    """Every run trained to its last stage."""
    input:
        [f"{stage_folder(run, chain[-1])}/checkpoint" for run, chain in CHAINS.items()],
