"""The values of ``--device``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from enlighten_cli.errors import UsageError
from enlighten_cli.models.providers import PROVIDERS, WORDS


@dataclass(frozen=True)
class Device:
    """The device on which the network runs.

    Parameters
    ----------
    kind : str
        ``"auto"``, or the word of a row of `PROVIDERS`.
    number : int
        Which one, where a machine may have several.
    """

    kind: str = "auto"
    number: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}" if self.number else self.kind

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

        Raises
        ------
        UsageError
            If it is anything else.
        """
        kind, colon, number = text.partition(":")
        provider = PROVIDERS.get(kind)
        is_numbered = provider is not None and provider.is_numbered and number.isdecimal()
        if kind not in WORDS or (colon and not is_numbered):
            raise UsageError(f"device is {text!r}; it must be {CHOICES}")
        return cls(kind, int(number or 0))


_NUMBERED = [f"{provider.word}:N" for provider in PROVIDERS.values() if provider.is_numbered]
CHOICES = " or ".join((", ".join([*WORDS, *_NUMBERED][:-1]), [*WORDS, *_NUMBERED][-1]))
