"""Questions and their statistics.

REQUIRED INPUTS:   none, or the files that a data set names; shards if a data set is drawn in several
OUTPUTS:           <results>/data/{dataset}/{train,valid,test}.jsonl   <results>/data/{dataset}/{split}.csv
                   <results>/data/{dataset}/shortcuts.csv
"""


localrules:
    describe,
    shortcuts,


def question_settings(wildcards):
    """The settings from which the questions of a data set come."""
    return study.datasets[wildcards.dataset].questions.model_dump_json()


rule shard:
    output:
        questions="<results>/data/{dataset}/shards/{shard}.jsonl",
    log:
        "<logs>/shard/{dataset}-{shard}.log",
    benchmark:
        "<benchmarks>/shard/{dataset}-{shard}.tsv"
    params:
        code=code("shard"),
        settings=question_settings,
    shell:
        r"""
        python -m coconut_study shard \
            --settings {params.settings:q} \
            --number {wildcards.shard} \
            --out {output.questions:q} &>{log:q}
        """


rule questions:
    input:
        shards=lambda wildcards: plan.shards(wildcards.dataset),
        files=lambda wildcards: plan.source_files(wildcards.dataset),
    output:
        train="<results>/data/{dataset}/train.jsonl",
        valid="<results>/data/{dataset}/valid.jsonl",
        test="<results>/data/{dataset}/test.jsonl",
    log:
        "<logs>/questions/{dataset}.log",
    benchmark:
        "<benchmarks>/questions/{dataset}.tsv"
    params:
        code=code("questions"),
        settings=question_settings,
    shell:
        r"""
        python -m coconut_study questions \
            --settings {params.settings:q} \
            --train {output.train:q} \
            --valid {output.valid:q} \
            --test {output.test:q} \
            {input.shards:q} &>{log:q}
        """


rule describe:
    input:
        questions="<results>/data/{dataset}/{split}.jsonl",
    output:
        statistics="<results>/data/{dataset}/{split}.csv",
    log:
        "<logs>/describe/{dataset}-{split}.log",
    benchmark:
        "<benchmarks>/describe/{dataset}-{split}.tsv"
    params:
        code=code("describe"),
    shell:
        r"""
        python -m coconut_study describe \
            --questions {input.questions:q} \
            --out {output.statistics:q} &>{log:q}
        """


rule shortcuts:
    input:
        questions="<results>/data/{dataset}/test.jsonl",
    output:
        table="<results>/data/{dataset}/shortcuts.csv",
    log:
        "<logs>/shortcuts/{dataset}.log",
    benchmark:
        "<benchmarks>/shortcuts/{dataset}.tsv"
    params:
        code=code("shortcuts"),
    shell:
        r"""
        python -m coconut_study shortcuts \
            --questions {input.questions:q} \
            --out {output.table:q} &>{log:q}
        """


rule data:
    """All questions, with their statistics."""
    input:
        expand("<results>/data/{dataset}/{split}.csv", dataset=plan.datasets, split=SPLITS),
