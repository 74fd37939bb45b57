"""Declarations of the commands: a module each, with its options. What a command does is imported when it runs."""

DEFAULT = "enhance"
NAMES = (
    DEFAULT,
    "preview",
    "watch",
    "serve",
    "evaluate",
    "blind",
    "votes",
    "train",
    "export",
    "models",
    "doctor",
)
