"""Trained models to ask: questions in several forms, answers, and thoughts read as words and values."""
