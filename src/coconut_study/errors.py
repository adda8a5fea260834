"""The one exception a user sees: a sentence that names the key, file or row and what would be right."""


class StudyError(ValueError):
    """Something the user can mend: a setting, a question file, a path, a checkpoint."""
