"""The media folder: every audio file once, under the hash of its bytes.

A file is written beside its place, flushed to the disk and then renamed, and its row is stored
after that. So a crash can leave a temporary file or a file without a row, both of which
:meth:`MediaStore.sweep` removes at the next start, and never a row without a file.
"""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np

from qe_core.errors import AudioError, NotFoundError, StorageError
from qe_core.types import FloatArray

__all__ = ["Incoming", "MediaStore", "Swept"]

_BLOCK_BYTES = 1024 * 1024
_MB = 1024 * 1024
_INCOMING = "incoming"
_PEAKS_SUFFIX = ".peaks.npy"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A received file that has no place yet.

    Args:
        path: where it lies for the moment
        sha256: hash of its bytes, 64 hexadecimal digits
        size_bytes: its size
    """

    path: Path
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What a crash had left behind, and what is missing.

    Args:
        num_unfinished: temporary files removed
        num_orphans: files without a clip removed
        missing: clips whose file is not there
    """

    num_unfinished: int
    num_orphans: int
    missing: tuple[str, ...]


class MediaStore:
    """Audio files by content hash.

    Args:
        folder: created when it is not there

    Raises:
        StorageError: the folder cannot be created
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / _INCOMING
        with _readable_errors(folder):
            self._incoming.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def receive(
        self, source: Path | BinaryIO | bytes, *, name: str, max_bytes: int
    ) -> Iterator[Incoming]:
        """Copy a stream into the media folder for as long as the block runs.

        A file that :meth:`keep` does not take is gone at the end of the block.

        Args:
            source: path, bytes, or a binary stream, read from its present position
            name: file name for messages
            max_bytes: longer streams are refused while they are being read

        Yields:
            the received file

        Raises:
            AudioError: too long, or the path cannot be read
            StorageError: the disk is full or the folder not writable
        """
        path = self._incoming / f"{secrets.token_hex(16)}.part"
        try:
            with _opened(source, name) as stream, _readable_errors(self._folder):
                incoming = _copy(stream, path, name=name, max_bytes=max_bytes)
            yield incoming
        finally:
            path.unlink(missing_ok=True)

    def keep(self, incoming: Incoming) -> Path:
        """Put a received file into its place, for good.

        When the same bytes are there already they are replaced by themselves.

        Returns:
            the place
        """
        place = self.place(incoming.sha256)
        with _readable_errors(self._folder):
            place.parent.mkdir(exist_ok=True)
            incoming.path.replace(place)
            _sync_folder(place.parent)
            _sync_folder(self._folder)
        return place

    def place(self, clip_id: str) -> Path:
        """Where the file of a clip belongs, whether it is there or not."""
        return self._folder / clip_id[:2] / clip_id

    def path(self, clip_id: str) -> Path:
        """The file of a clip.

        Raises:
            NotFoundError: it is not there
        """
        place = self.place(clip_id)
        if not place.is_file():
            raise NotFoundError(
                f"The audio of clip {clip_id[:12]} is missing from the media folder.",
                suggestion="Upload the file again; its transcript and reviews are kept.",
            )
        return place

    def peaks(self, clip_id: str) -> FloatArray | None:
        """The cached waveform of a clip, shape ``(num_bins, 2)``; ``None`` when there is none."""
        try:
            peaks: FloatArray = np.load(self._peaks_path(clip_id), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return peaks

    def keep_peaks(self, clip_id: str, peaks: FloatArray) -> None:
        """Cache the waveform of a clip."""
        values = peaks.astype(np.float32)
        self.keep_derived(
            clip_id, _PEAKS_SUFFIX, lambda path: np.save(path, values, allow_pickle=False)
        )

    def derived(self, clip_id: str, suffix: str) -> Path:
        """Where something that was made from a clip's audio is cached, whether it is there or not.

        Args:
            clip_id: the clip
            suffix: what it is, e.g. ``".fine.npy"``
        """
        place = self.place(clip_id)
        return place.with_name(place.name + suffix)

    def keep_derived(self, clip_id: str, suffix: str, make: Callable[[Path], None]) -> Path:
        """Cache something made from a clip's audio; half of it is never seen.

        Args:
            clip_id: the clip
            suffix: what it is; the file that ``make`` writes has the same ending
            make: writes it to a path

        Returns:
            where it lies now
        """
        path = self.derived(clip_id, suffix)
        temporary = self._incoming / f"{secrets.token_hex(16)}{suffix}"
        try:
            with _readable_errors(self._folder):
                path.parent.mkdir(exist_ok=True)
                make(temporary)
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return path

    def has_files(self) -> bool:
        """Whether there is any audio."""
        return any(True for _ in self._folder.glob("??/*"))

    def sweep(self, known_ids: Collection[str]) -> Swept:
        """Remove what a crash left behind.

        Call it before anything is received, in the process that holds the database.

        Args:
            known_ids: all clips that have a row

        Returns:
            what was removed, and which clips have lost their file
        """
        with _readable_errors(self._folder):
            unfinished = list(self._incoming.iterdir())
            for path in unfinished:
                path.unlink()
            found: set[str] = set()
            num_orphans = 0
            for path in self._folder.glob("??/*"):
                clip_id = path.name.partition(".")[0]
                if clip_id not in known_ids:
                    path.unlink()
                    num_orphans += path.name == clip_id
                elif path.name == clip_id:
                    found.add(clip_id)
        missing = tuple(sorted(set(known_ids) - found))
        return Swept(len(unfinished), num_orphans, missing)

    def _peaks_path(self, clip_id: str) -> Path:
        return self.derived(clip_id, _PEAKS_SUFFIX)


@contextlib.contextmanager
def _opened(source: Path | BinaryIO | bytes, name: str) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield BytesIO(source)
    elif isinstance(source, Path):
        try:
            stream = source.open("rb")
        except OSError as error:
            raise AudioError(
                f"{name}: cannot be opened ({error.strerror or error}).",
                suggestion="Check that the file exists, is a file and may be read.",
                code="missing",
            ) from error
        with stream:
            yield stream
    else:
        yield source


def _copy(stream: BinaryIO, path: Path, *, name: str, max_bytes: int) -> Incoming:
    digest = hashlib.sha256()
    size_bytes = 0
    with path.open("xb") as file:
        while block := stream.read(_BLOCK_BYTES):
            size_bytes += len(block)
            if size_bytes > max_bytes:
                raise AudioError(
                    f"{name}: larger than {max_bytes / _MB:g} MB, the largest file that is taken.",
                    suggestion="Cut it into parts, export it as MP3 or Opus, or raise "
                    "audio.max_upload_mb.",
                    code="too_large",
                )
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return Incoming(path, digest.hexdigest(), size_bytes)


def _sync_folder(folder: Path) -> None:
    """A rename lasts through a power cut only once its folder is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _readable_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{folder}: cannot be written ({error.strerror or error}).",
            suggestion="Check that the disk has room and that the data folder is writable.",
            code="media",
        ) from error
