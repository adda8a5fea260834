"""The Coconut study: questions -> training in stages -> responses -> grades -> tables and figures."""

# A study is one YAML file: config/quick.yaml, or the one that --configfile names.
if "study" not in config:

    configfile: workflow.source_path("config/quick.yaml")


include: "workflow/rules/common.smk"
include: "workflow/rules/questions.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/findings.smk"
include: "workflow/rules/parts.smk"


rule all:
    default_target: True
    input:
        rules.tables.input,
        rules.figures.input,
        rules.findings.input,
        rules.explorer.output,


report: "workflow/report/study.rst"
