"""A data folder with many clips that the desk can open and play: one is real, the others copies.

Every copy has its own name, hypothesis, assessment and place in the media folder; the bytes of the
sound are one file with many names.
"""

import os
import shutil
from pathlib import Path

from qe_core.config import load_settings
from storage.database import Session
from tests.desk_clips import WORD_S, seed, store_playable
from workbench.runtime import Runtime

__all__ = ["TEXT", "fill", "fill_long"]

TEXT = "the quick brown fox jumps over the lazy dog and runs away from the old red barn at night"

_COPY = (
    """INSERT INTO clips BY NAME (SELECT * EXCLUDE (i) REPLACE
    (sha256('copy ' || i) AS id,
    'clip-' || i || '.wav' AS file_name) FROM clips, range({n}) t(i) WHERE id = '{id}')""",
    """INSERT INTO hypotheses BY NAME (SELECT * EXCLUDE (i) REPLACE
    (lpad(i::VARCHAR, 26, '0') AS id,
    sha256('copy ' || i) AS clip_id) FROM hypotheses, range({n}) t(i) WHERE clip_id = '{id}')""",
    """INSERT INTO assessments BY NAME (SELECT * EXCLUDE (i) REPLACE
    (lpad(i::VARCHAR, 26, '0') AS id,
    sha256('copy ' || i) AS clip_id, lpad(i::VARCHAR, 26, '0') AS hypothesis_id,
    random() * 5 AS expected_errors, random() * 0.6 AS predicted_wer)
    FROM assessments, range({n}) t(i) WHERE clip_id = '{id}')""",
    """INSERT INTO queue_entries BY NAME (SELECT * EXCLUDE (i) REPLACE
    (sha256('copy ' || i) AS clip_id, 'clip-' || i || '.wav' AS file_name,
    random() * 5 AS expected_errors, random() * 0.6 AS predicted_wer)
    FROM queue_entries, range({n}) t(i) WHERE clip_id = '{id}')""",
)


def fill(data_dir: Path, num_clips: int) -> None:
    """Store clips before a server opens the folder.

    Args:
        data_dir: new folder
        num_clips: how many; each about seven seconds long with 18 words
    """
    runtime = Runtime(load_settings(data_dir=data_dir))
    try:
        original = store_playable(runtime, TEXT, file_name="clip.wav")
        runtime.database.write(lambda session: _copy(session, original, num_clips - 1))
        with runtime.database.session() as session:
            ids = [row[0] for row in session.connection().exec_driver_sql("SELECT id FROM clips")]
        for suffix in ("", ".peaks.npy"):
            _give_names(runtime, original, [i for i in ids if i != original], suffix)
    finally:
        runtime.close()


def fill_long(data_dir: Path, minutes: float) -> str:
    """Store a short clip and a long one before a server opens the folder.

    Args:
        data_dir: new folder
        minutes: length of the long one; 2.5 words a second, six to a segment

    Returns:
        id of the long clip
    """
    num_words = round(minutes * 60 / WORD_S)
    words = TEXT.split()
    long_text = " ".join(words[index % len(words)] for index in range(num_words))
    ids = seed(data_dir, TEXT, long_text, file_names=("short.wav", "long.wav"))
    return ids[1]


def _copy(session: Session, original: str, num_copies: int) -> None:
    for statement in _COPY:
        session.connection().exec_driver_sql(statement.format(n=num_copies, id=original))


def _give_names(runtime: Runtime, original: str, ids: list[str], suffix: str) -> None:
    """One copy per folder and links to it: a file system allows only so many names per file."""
    source = runtime.media.place(original)
    firsts: dict[Path, Path] = {}
    for clip_id in ids:
        place = runtime.media.place(clip_id)
        place = place.with_name(place.name + suffix)
        if place.parent in firsts:
            os.link(firsts[place.parent], place)
            continue
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(source.with_name(source.name + suffix), place)
        firsts[place.parent] = place
