"""Audio is kept once, atomically, and a crash leaves nothing behind."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest

from qe_core.errors import AudioError, NotFoundError, StorageError
from storage.media import MediaStore

_CONTENT = b"some audio" * 1000
_ID = hashlib.sha256(_CONTENT).hexdigest()
_MB = 1024 * 1024


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    """An empty media folder."""
    return MediaStore(tmp_path / "media")


def _keep(media: MediaStore, content: bytes = _CONTENT) -> Path:
    with media.receive(content, name="a.wav", max_bytes=_MB) as incoming:
        return media.keep(incoming)


def _files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


def test_a_file_is_kept_under_the_hash_of_its_bytes(media: MediaStore, tmp_path: Path) -> None:
    with media.receive(io.BytesIO(_CONTENT), name="a.wav", max_bytes=_MB) as incoming:
        assert (incoming.sha256, incoming.size_bytes) == (_ID, len(_CONTENT))
        media.keep(incoming)
    assert media.path(_ID).read_bytes() == _CONTENT
    assert media.path(_ID).relative_to(tmp_path / "media") == Path(_ID[:2]) / _ID


def test_a_file_that_is_not_kept_is_gone_after_the_block(media: MediaStore, tmp_path: Path) -> None:
    with media.receive(_CONTENT, name="a.wav", max_bytes=_MB) as incoming:
        assert incoming.path.exists()
    assert _files(tmp_path) == []


def test_a_file_that_is_refused_is_gone(media: MediaStore, tmp_path: Path) -> None:
    with (
        pytest.raises(AudioError, match="refused"),
        media.receive(_CONTENT, name="a.wav", max_bytes=_MB),
    ):
        raise AudioError("refused", suggestion="")
    assert _files(tmp_path) == []


def test_the_size_limit_holds_while_reading(media: MediaStore, tmp_path: Path) -> None:
    class Endless(io.RawIOBase):
        num_read = 0

        def read(self, size: int = -1) -> bytes:
            self.num_read += size
            return b"x" * size

    endless = Endless()
    with (
        pytest.raises(AudioError, match=r"a\.wav: larger than 2 MB") as caught,
        media.receive(endless, name="a.wav", max_bytes=2 * _MB),  # type: ignore[arg-type]  # enough of a stream
    ):
        pass
    assert caught.value.code == "too_large"
    assert endless.num_read <= 4 * _MB
    assert _files(tmp_path) == []


def test_a_path_is_copied_and_left_alone(media: MediaStore, tmp_path: Path) -> None:
    original = tmp_path / "a.wav"
    original.write_bytes(_CONTENT)
    with media.receive(original, name="a.wav", max_bytes=_MB) as incoming:
        media.keep(incoming)
    assert original.read_bytes() == _CONTENT


def test_a_path_that_cannot_be_read_is_an_audio_error(media: MediaStore, tmp_path: Path) -> None:
    with (
        pytest.raises(AudioError, match="cannot be opened") as caught,
        media.receive(tmp_path / "none.wav", name="none.wav", max_bytes=_MB),
    ):
        pass
    assert caught.value.code == "missing"


def test_the_same_bytes_are_one_file(media: MediaStore, tmp_path: Path) -> None:
    assert _keep(media) == _keep(media)
    assert len(_files(tmp_path)) == 1


def test_a_file_that_is_missing_is_told(media: MediaStore) -> None:
    with pytest.raises(NotFoundError, match="missing from the media folder"):
        media.path(_ID)


def test_peaks_are_cached_beside_the_file(media: MediaStore, rng: np.random.Generator) -> None:
    _keep(media)
    assert media.peaks(_ID) is None
    made = rng.uniform(-1, 1, (100, 2)).astype(np.float32)
    media.keep_peaks(_ID, made)
    cached = media.peaks(_ID)
    assert cached is not None
    np.testing.assert_array_equal(cached, made)


def test_damaged_peaks_count_as_none(media: MediaStore) -> None:
    path = _keep(media)
    path.with_name(f"{path.name}.peaks.npy").write_bytes(b"\x93NUMPY broken")
    assert media.peaks(_ID) is None


def test_sweeping_removes_unfinished_files_and_orphans_only(
    media: MediaStore, tmp_path: Path, rng: np.random.Generator
) -> None:
    _keep(media)
    orphan = _keep(media, b"crashed before its row" * 100)
    media.keep_peaks(orphan.name, rng.uniform(-1, 1, (10, 2)).astype(np.float32))
    media.keep_peaks(_ID, rng.uniform(-1, 1, (10, 2)).astype(np.float32))
    (tmp_path / "media" / "incoming" / "0123.part").write_bytes(b"half")

    swept = media.sweep({_ID})

    assert (swept.num_unfinished, swept.num_orphans, swept.missing) == (1, 1, ())
    assert media.path(_ID).read_bytes() == _CONTENT
    assert media.peaks(_ID) is not None
    assert len(_files(tmp_path)) == 2


def test_sweeping_names_clips_that_lost_their_file(media: MediaStore) -> None:
    assert media.sweep({_ID}).missing == (_ID,)


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written") as caught:
        MediaStore(tmp_path / "media")
    assert caught.value.code == "media"
