"""The metadata of an ``.onnx`` file, checked when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping

from enlighten_cli.errors import ModelError

# The allowed range of each number.
NUMBERS = {
    "training_pixels": (0, 10**9),
    "look_pixels": (0, 10**9),
    "reach": (0, 4096),
    "width": (1, 4096),
    "bytes_per_pixel": (1, 10**6),
}
MOST_DIGITS = 12
MOST_LETTERS = 200  # of a name


def checked_numbers(words: Mapping[str, str], source: str) -> dict[str, int]:
    """Return the numbers in a model's metadata; missing ones are left out.

    Parameters
    ----------
    words : mapping of str to str
    source : str
        The file, for messages.

    Raises
    ------
    ModelError
        If a number is invalid or out of range, or the name is too long.
    """
    numbers = {}
    for key, (least, most) in NUMBERS.items():
        if not (text := words.get(key, "")):
            continue
        number = int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else -1
        if not least <= number <= most:
            raise ModelError(f"{source}: its {key} is not a number from {least} to {most}")
        numbers[key] = number
    if len(words.get("name", "")) > MOST_LETTERS:
        raise ModelError(f"{source}: its name has more than {MOST_LETTERS} characters")
    return numbers
