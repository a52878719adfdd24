"""Objects that are kept as JSON text."""

import json
from typing import Any

__all__ = ["mapping"]


def mapping(text: str) -> dict[str, Any]:
    """Read a JSON object."""
    loaded: dict[str, Any] = json.loads(text)
    return loaded
