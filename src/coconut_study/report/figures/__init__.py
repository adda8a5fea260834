"""Figures: one module and one function each. They draw the numbers of tables and compute none."""
