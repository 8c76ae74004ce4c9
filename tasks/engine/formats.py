"""Formats of a run's settings: what older versions called them. Standard library only."""

from tasks.engine.config import JsonObject, Settings

FORMAT = 3
RENAMED = {  # settings of older formats, in any task and in one, and what they are called since
    "": {
        "alpha": "length_penalty",
        "repeats": "no_repeat_ngram",
        "minimum": "min_length",
        "length": "max_length",
        "keep": "truncate",
        "align": "alignment_file",
    },
    "caption": {"attention": "attention_file"},
    "mnist": {"scale": "augment_scale"},
}
COLUMNS = {  # settings up to format 2, each the name of a column -> the field in it
    "text_column": "text",
    "label_column": "label",
    "image_column": "image",
    "caption_column": "caption",
}


def current_settings(settings: Settings, task: str, version: int) -> JsonObject:
    """Return the settings of a run of an older format as this version names them."""
    names = RENAMED[""] | RENAMED.get(task, {}) if version < FORMAT else {}
    found = {names.get(name, name): value for name, value in settings.items() if name not in COLUMNS}
    other = {field: settings[name] for name, field in COLUMNS.items() if settings.get(name, field) != field}
    return found | {"columns": ",".join(f"{field}={name}" for field, name in other.items())} if other else found
