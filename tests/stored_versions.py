"""Versions of the quality model, as trainings store them."""

from typing import Any

from storage.database import Session
from storage.records import ModelVersion
from storage.repositories import models

SPHINX = ("pocketsphinx", "en-us")


def add_version(
    session: Session, folder: str, *, owner: tuple[str, str] = SPHINX, **of_version: Any
) -> ModelVersion:
    """Store a version of the estimator of transcripts; its estimates are named like its folder."""
    engine, model = owner
    usual = {"estimator": folder, "manifest": {}, "report": {}}
    return models.add_version(
        session,
        kind="transcript",
        engine=engine,
        model=model,
        folder=folder,
        **{**usual, **of_version},
    )


def promote(session: Session, version: ModelVersion) -> None:
    """Let a version serve; no clip is estimated again."""
    models.add_promotion(
        session,
        kind=version.kind,
        engine=version.engine,
        model=version.model,
        version_id=version.id,
        action="promote",
    )
