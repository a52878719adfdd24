from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from qe_core.corpus.examples import Recognised
from qe_core.errors import AudioError
from qe_core.estimation.examples_cache import load_examples
from qe_core.features import STANDARD, THOROUGH
from qe_core.types import SAMPLE_RATE_HZ
from tests.builders import speech_like, transcript

pytestmark = pytest.mark.slow


def test_only_what_is_missing_is_computed(tmp_path: Path) -> None:
    sound = tmp_path / "a.wav"
    soundfile.write(sound, speech_like(np.random.default_rng(1), 1.0), SAMPLE_RATE_HZ)
    row = Recognised(
        str(sound), 1.0, "one two", transcript("one two"), "s", "r", "x", "en", "clean"
    )
    [standard] = load_examples([row], tmp_path, num_processes=1)
    assert list(standard.features) == [info.name for group in STANDARD for info in group.features]
    assert len(list(tmp_path.glob("*.parquet"))) == len(STANDARD)
    seconds = {str(sound): transcript("one too")}
    [thorough] = load_examples([row], tmp_path, seconds=seconds, depth="thorough", num_processes=1)
    assert thorough.second == seconds[str(sound)]
    assert thorough.features["second_disagreement"] == pytest.approx(2 / 4)
    assert len(list(tmp_path.glob("*.parquet"))) == len(THOROUGH)

    sound.unlink()  # whatever is known needs no sound any more
    [again] = load_examples([row], tmp_path, seconds=seconds, depth="thorough", num_processes=1)
    np.testing.assert_equal(again.features, thorough.features)
    other = replace(row, transcript=transcript("something else"))
    with pytest.raises(AudioError):
        load_examples([other], tmp_path, num_processes=1)
    with pytest.raises(AudioError):
        load_examples([row], tmp_path, depth="thorough", num_processes=1)
