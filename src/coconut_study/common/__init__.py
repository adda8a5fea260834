"""What every package uses.

- `errors`: the exception for mistakes of users, and the wording of messages;
- `settings`, `options`, `arguments`: settings classes, command line options, arguments in files;
- `files`, `workspace`: files written completely or not at all, and folders for unfinished work;
- `reading`: files read as text, JSON, YAML and tables;
- `provenance`: a digest of the code behind a result, and the card of a checkpoint;
- `seeds`: one random stream for each purpose;
- `progress`, `journal`: progress bars and lines, and the file that says how far training is;
- `gpus`, `allocator`: GPUs of a job, memory that stays with the process.

Imports nothing else of this project, and no torch.
"""
