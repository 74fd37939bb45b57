"""What an ``.onnx`` file says of itself, checked as it is loaded."""

from __future__ import annotations

from collections.abc import Mapping

from enlighten_cli.errors import ModelError

# The least and the most that each number can be.
NUMBERS = {"training_pixels": (0, 10**9), "look_pixels": (0, 10**9), "reach": (0, 4096), "width": (1, 4096)}
MOST_DIGITS = 12
MOST_LETTERS = 200  # of a name


def checked_numbers(words: Mapping[str, str], source: str) -> dict[str, int]:
    """Return the numbers among a model's metadata; those that it does not say are left out.

    Parameters
    ----------
    words : mapping of str to str
    source : str
        The file, for messages.

    Raises
    ------
    ModelError
        If one is no number or beyond what makes sense, or the name is no name.
    """
    numbers = {}
    for key, (least, most) in NUMBERS.items():
        if not (text := words.get(key, "")):
            continue
        number = int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else -1
        if not least <= number <= most:
            raise ModelError(f"{source}: its {key} is no number from {least} to {most}")
        numbers[key] = number
    if len(words.get("name", "")) > MOST_LETTERS:
        raise ModelError(f"{source}: its name has more than {MOST_LETTERS} letters")
    return numbers
