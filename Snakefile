"""The Coconut study: questions -> training in stages -> responses -> grades -> tables and figures."""

# A study is a whole YAML file. Without one it is the quick study; --configfile names another.
if "study" not in config:

    configfile: workflow.source_path("config/quick.yaml")


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/probe.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/parts.smk"


rule all:
    default_target: True
    input:
        rules.tables.input,
        rules.figures.input,


report: "workflow/report/study.rst"
