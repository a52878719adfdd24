"""What the sections of the settings are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Count", "DayTime", "Positive", "Section", "Share"]

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]
# An hour of the day, local time; empty: never by the clock.
DayTime = Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")]


class Section(BaseModel):
    """Part of the settings that belongs together; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
