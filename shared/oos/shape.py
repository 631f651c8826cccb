"""What the wire shapes of the OOS domain have in common."""

from pydantic import BaseModel, ConfigDict

__all__ = ["Shape"]


class Shape(BaseModel, defer_build=True):
    """A wire shape; built on first use so that importing many costs little."""

    model_config = ConfigDict(defer_build=True, extra="forbid")
