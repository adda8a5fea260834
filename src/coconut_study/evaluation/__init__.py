"""Evaluation: the responses of trained runs and their grades, and what thoughts predict.

Commands that use a model write responses, times and values. Grading reads responses and needs no model.
"""
