"""Taking many files in at once and saying what became of each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import streamlit as st

from qe_core.errors import WerkbenchError
from ui.formats import plain
from workbench import intake
from workbench.runtime import Runtime

__all__ = ["Notice", "show_notices", "submit_files", "submit_samples"]


@dataclass(frozen=True, slots=True)
class Notice:
    """What became of one file, if there is something to say.

    Args:
        file_name: as its owner calls it
        message: what happened
        suggestion: what to do about it; empty when nothing is wrong
    """

    file_name: str
    message: str
    suggestion: str = ""


def submit_files(
    runtime: Runtime,
    files: Iterable[tuple[str, BinaryIO | Path]],
    *,
    source: str,
    actor: str | None = None,
    speakers: Mapping[str, str] = MappingProxyType({}),
    recording: str | None = None,
) -> list[Notice]:
    """Take files in one after the other; a refused one does not stop the others.

    Args:
        runtime: the runtime
        files: name and content of each
        source: ``upload``, ``microphone`` or ``sample``
        actor: who brings them
        speakers: who speaks in which file, where that is known
        recording: what all files come from; each is one of its own by default

    Returns:
        one notice for each file that is refused or was there already
    """
    files = list(files)
    notices = []
    bar = st.progress(0.0)
    for index, (name, content) in enumerate(files):
        bar.progress(index / len(files), f"Checking {index + 1} of {len(files)}: {plain(name)}")
        try:
            submission = intake.submit(
                runtime,
                content,
                file_name=name,
                source=source,
                actor=actor,
                speaker=speakers.get(name),
                recording=recording,
            )
        except WerkbenchError as error:
            notices.append(Notice(name, error.message, error.suggestion))
        else:
            if submission.is_duplicate:
                notices.append(Notice(name, "is there already; the same bytes are one clip."))
    bar.empty()
    return notices


def submit_samples(runtime: Runtime, actor: str) -> list[Notice]:
    """Take in the sample clips that travel with Werkbench; their speakers are known."""
    samples = list(intake.sample_manifest())
    return submit_files(
        runtime,
        [(path.name, path) for path, _ in samples],
        source="sample",
        actor=actor,
        speakers={path.name: entry["speaker"] for path, entry in samples if "speaker" in entry},
    )


def show_notices(notices: list[Notice]) -> None:
    """Show refusals as errors and duplicates as information, all as inert text."""
    for notice in notices:
        if notice.suggestion:
            st.error(
                f"{plain(notice.message)}  \n{plain(notice.suggestion)}",
                icon=":material/error:",
            )
        else:
            st.info(
                f"{plain(notice.file_name)} {plain(notice.message)}",
                icon=":material/content_copy:",
            )
