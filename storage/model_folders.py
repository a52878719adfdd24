"""Folders of trained models: every version in a folder of its own, complete or not there."""

import os
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from qe_core.errors import StorageError

__all__ = ["keep", "keep_file", "sweep"]

_UNFINISHED = ".new-"
_ID_LENGTH = 26


def keep(models_dir: Path, name: str, save: Callable[[Path], None]) -> Path:
    """Write a folder beside its place, flush it to the disk, and then rename it.

    Args:
        models_dir: the models folder, made when missing
        name: of the new folder: the id of its version
        save: writes the files into the folder that it is given

    Returns:
        the folder

    Raises:
        StorageError: the disk is full or the folder not writable
    """
    unfinished = models_dir / f"{_UNFINISHED}{name}"
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        save(unfinished)
        for path in (*unfinished.rglob("*"), unfinished):
            _flush(path)
        unfinished.replace(models_dir / name)
        _flush(models_dir)
    except OSError as error:
        raise StorageError(
            f"{models_dir}: the new model cannot be written ({error.strerror or error}).",
            suggestion="Check that the disk has room and that the data folder is writable.",
            code="models",
        ) from error
    return models_dir / name


def keep_file(models_dir: Path, name: str, source: Path) -> Path:
    """Copy a file into the models folder unless it is there, complete or not at all.

    Args:
        models_dir: the models folder, made when missing
        name: of the copy, by its content
        source: what is copied

    Raises:
        StorageError: the disk is full or the folder not writable
    """
    place, unfinished = models_dir / name, models_dir / f"{_UNFINISHED}{name}"
    if place.is_file():
        return place
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, unfinished)
        _flush(unfinished)
        unfinished.replace(place)
    except OSError as error:
        raise StorageError(
            f"{models_dir}: {name} cannot be written ({error.strerror or error}).",
            suggestion="Check that the disk has room and that the data folder is writable.",
            code="models",
        ) from error
    return place


def sweep(models_dir: Path, known: Collection[str]) -> list[str]:
    """Remove what a crash left behind: folders that are unfinished or belong to no version.

    Folders that do not look like ours are left alone.

    Args:
        models_dir: the models folder
        known: names of the folders that have a row

    Returns:
        names of the removed folders
    """
    if not models_dir.is_dir():
        return []
    removed = []
    for path in models_dir.iterdir():
        is_ours = path.name.startswith(_UNFINISHED) or len(path.name) == _ID_LENGTH
        if path.is_dir() and is_ours and path.name not in known:
            shutil.rmtree(path, ignore_errors=True)
            removed.append(path.name)
    return removed


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
