"""The base model and training, one job a stage.

REQUIRED INPUTS:   <results>/data/{dataset}/{train,valid}.jsonl
OUTPUTS:           <results>/base/seed{seed}-{id}/   <results>/<stage>/checkpoint/   <results>/<stage>/history.csv
NOT DECLARED:      <results>/<stage>/state/, from which a stage that was interrupted goes on
"""


def stage_spec(wildcards):
    """All that determines the stage."""
    return STAGES[wildcards.id].model_dump_json()


def base_settings(wildcards):
    """All that determines a base model."""
    return BASES[wildcards.id].model_dump_json()


def base_questions(wildcards):
    """The questions a new model learns its words from."""
    names = DATASETS if BASES[wildcards.id].model.architecture else []
    return [f"{RESULTS}/data/{name}/train.jsonl" for name in names]


def processes(wildcards):
    """How training is started: by one process, or by one a GPU."""
    gpus = needs("train", wildcards).gpus
    return f"-m torch.distributed.run --standalone --nproc-per-node={gpus}" if gpus > 1 else ""


def training_minutes(wildcards):
    """What a stage may take, at every attempt: it goes on where it was. The study says it for an epoch."""
    return needs("train", wildcards).minutes * max(STAGES[wildcards.id].epochs, 1)


rule base:
    input:
        questions=base_questions,
    output:
        checkpoint=directory("<results>/base/seed{seed}-{id}"),
    log:
        "<logs>/base/seed{seed}-{id}.log",
    benchmark:
        "<benchmarks>/base/seed{seed}-{id}.tsv"
    threads: study.needs("base").threads
    resources:
        **job_resources("base"),
    params:
        code=code("base"),
        settings=base_settings,
    shell:
        r"""
        python -m coconut_study.common.gpus --gpus {resources.gpu} \
            --jobs-per-gpu {resources.jobs_per_gpu} -- python -m coconut_study base \
            --settings {params.settings:q} \
            --out {output.checkpoint:q} \
            {input.questions:q} &>{log:q}
        """


rule train:
    input:
        parent=parent_checkpoint,
        train="<results>/data/{dataset}/train.jsonl",
        valid="<results>/data/{dataset}/valid.jsonl",
    output:
        checkpoint=directory("<results>/<stage>/checkpoint"),
        history="<results>/<stage>/history.csv",
    log:
        "<logs>/train/{dataset}/seed{seed}/stage{stage}-{id}.log",
    benchmark:
        "<benchmarks>/train/{dataset}/seed{seed}/stage{stage}-{id}.tsv"
    threads: lambda wildcards: needs("train", wildcards).threads
    resources:
        **job_resources("train", minutes=training_minutes),
        save_minutes=study.machine.save_minutes,
    params:
        code=code("train"),
        spec=stage_spec,
        processes=processes,
    # exec: a signal that ends the job would end the shell, and with it the job, before the state is saved.
    shell:
        r"""
        exec python -m coconut_study.common.gpus --gpus {resources.gpu} \
            --jobs-per-gpu {resources.jobs_per_gpu} -- python {params.processes} -m coconut_study train \
            --spec {params.spec:q} \
            --parent {input.parent:q} \
            --train {input.train:q} \
            --valid {input.valid:q} \
            --checkpoint {output.checkpoint:q} \
            --history {output.history:q} \
            --minutes {resources.save_minutes} &>{log:q}
        """


rule checkpoints:
    """Every run trained to its last stage."""
    input:
        [f"{stage_folder(run, chain[-1])}/checkpoint" for run, chain in CHAINS.items()],
