"""Base models and the training of a stage, on one device or several, resumed after an interruption."""
