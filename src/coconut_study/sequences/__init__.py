"""From a question to the tokens of a method.

- `methods`: methods and schedules as settings, and the layout of each stage;
- `templates`: a question as text, and a response read back;
- `builder`: the one function that builds the token sequence of every layout;
- `drawing`: the sequences of every method as a table.

Needs no torch.
"""
