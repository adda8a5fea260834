"""Parts of the study by name: all that is measured of the runs of one data set, method or seed.

REQUIRED INPUTS:   none of their own
OUTPUTS:           none: the targets dataset_{dataset}, method_{method} and seed_{seed}
"""

for part, runs in plan.parts.items():

    rule:
        name:
            part
        input:
            to_make(plan.measured(runs)),
