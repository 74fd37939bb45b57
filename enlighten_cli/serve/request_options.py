"""The options of a request, as pydantic models: FastAPI validates them, and describes them in the OpenAPI document."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from enlighten_cli.enhancement.encoded import Treatment
from enlighten_cli.enhancement.enhance import DENOISE_WORDS, MAX_DENOISE, MAX_STRENGTH, Mode, Options
from enlighten_cli.photo import CHOICES, Limits, Strip

MOST_PIXELS_OF_A_SIDE = 1 << 20


def _factor(given: Any) -> Any:
    return DENOISE_WORDS.get(given, given) if isinstance(given, str) else given


def _format(given: str) -> str:
    if given not in CHOICES:
        raise ValueError(f"must be one of {', '.join(CHOICES)}")
    return given


Denoise = Annotated[
    float,
    BeforeValidator(_factor),
    Field(ge=0, le=MAX_DENOISE, allow_inf_nan=False),
    WithJsonSchema(
        {"oneOf": [{"enum": list(DENOISE_WORDS)}, {"type": "number", "minimum": 0, "maximum": MAX_DENOISE}]}
    ),
]
Format = Annotated[str, AfterValidator(_format), WithJsonSchema({"enum": list(CHOICES)})]


class RequestOptions(BaseModel):
    """The options that a person sets while looking at the photo."""

    model_config = ConfigDict(frozen=True)

    strength: float = Field(
        1.0,
        ge=0,
        le=MAX_STRENGTH,
        allow_inf_nan=False,
        description="Strength of the change: 0 for none, 1 for the model's own.",
    )
    mode: Mode = Field(Mode.AUTO, description="Whether the network sees every pixel (full) or thumbnails (fast).")
    model: str = Field("", description="Name of the model, of those in /v1/models; by default the first.")
    denoise: Denoise = Field(
        DENOISE_WORDS["auto"], description="Noise to remove: a factor on the measured noise, or a word."
    )

    def options(self, **more: Any) -> Options:
        """Return the options of the enhancement.

        Raises
        ------
        UsageError
            If they contradict each other.
        """
        return Options(strength=self.strength, mode=self.mode, denoise=self.denoise, **more)


class Enhancement(RequestOptions):
    """The options of the API."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tile: int | None = Field(
        None,
        ge=0,
        le=MOST_PIXELS_OF_A_SIDE,
        description="Side of the tiles in full mode, in pixels; 0 for the whole photo at once.",
    )
    format: Format | None = Field(None, description="Format of the result; by default the photo's own.")
    quality: int | None = Field(None, ge=1, le=100, description="Quality of lossy formats.")
    strip: Strip = Field(Strip.NOTHING, description="Metadata to remove.")
    skip_brighter_than: float | None = Field(
        None, ge=0, le=1, allow_inf_nan=False, description="Refuse photos with a mean luma above this (422)."
    )
    allow_truncated: bool = Field(False, description="Accept files that are incomplete.")
    name: str = Field("photo", description="Name of the photo; its suffix distinguishes camera RAW from TIFF.")

    @property
    def result_format(self) -> str:
        """The name in `photo.FORMATS`; empty keeps the photo's own."""
        return CHOICES[self.format] if self.format else ""

    def treatment(self, limits: Limits, memory_bytes: int | None) -> Treatment:
        """Return how the photo is read, enhanced and written.

        Raises
        ------
        UsageError
            If options contradict each other.
        """
        return Treatment(
            enhance=self.options(tile_px=self.tile, memory_bytes=memory_bytes),
            limits=dataclasses.replace(limits, allow_truncated=self.allow_truncated or limits.allow_truncated),
            quality=self.quality,
            strip=self.strip,
            skip_brighter_than=self.skip_brighter_than,
        )
