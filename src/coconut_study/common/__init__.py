"""What every package uses: errors and their wording, files, settings, seeds, GPUs, and unfinished work.

Imports nothing of this project and no torch.
"""
