"""What trained runs answer and what their thoughts predict.

Commands that use a model write responses, times and values; grading reads responses and needs no model.
"""
