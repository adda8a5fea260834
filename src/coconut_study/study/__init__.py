"""A whole study as one object: its definition, its plan of runs and stages, and checks before anything runs.

Combines the settings of all packages. Needs no torch.
"""
