"""From rows to records."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, TypeVar, cast

from sqlmodel import SQLModel

__all__ = ["to_record", "to_records"]

T = TypeVar("T")
R = TypeVar("R", bound=SQLModel)


def to_record(kind: type[T], row: SQLModel) -> T:
    """Copy a row into the record whose fields are named like its columns."""
    names = [field.name for field in fields(cast("type[Any]", kind))]
    return kind(**{name: getattr(row, name) for name in names})


def to_records(kind: type[T], rows: Iterable[R]) -> list[T]:
    """Copy many rows."""
    return [to_record(kind, row) for row in rows]
