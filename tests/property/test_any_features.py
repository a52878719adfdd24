"""Any sound and any transcript: every declared feature is there, a plain float, never infinite."""

import math

import hypothesis.extra.numpy as npst
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qe_core.features import STANDARD
from qe_core.features.base import FeatureContext, extract
from qe_core.types import Audio, Segment, SourceFormat, SpeechSpan, Transcript, Word

shares = st.floats(0, 1, allow_subnormal=False)
times = st.floats(0, 4, allow_subnormal=False)
scores = st.none() | st.floats(-50, 50, width=32)
texts = st.text(max_size=12)
samples = st.one_of(
    npst.arrays(
        np.float32,
        st.integers(0, 9_000),
        elements=st.floats(-1, 1, width=32),
        fill=st.floats(-1, 1, width=32),
    ),
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 64_000), shares).map(
        lambda drawn: (
            drawn[2] * np.clip(np.random.default_rng(drawn[0]).standard_normal(drawn[1]), -1, 1)
        ).astype(np.float32)
    ),
)
words = st.builds(Word, word=texts, start_s=times, end_s=times, confidence=shares)
segments = st.builds(
    Segment,
    start_s=times,
    end_s=times,
    text=texts,
    words=st.lists(words, max_size=5).map(tuple),
    avg_logprob=scores,
    no_speech_prob=st.none() | shares,
    compression_ratio=scores,
    temperature=scores,
    alternatives=st.lists(texts, max_size=3).map(tuple),
)
transcripts = st.none() | st.builds(
    Transcript,
    segments=st.lists(segments, max_size=3).map(tuple),
    language=st.just("en"),
    engine=st.just("test"),
    model=st.just("test"),
    version=st.just("1"),
    language_probability=st.none() | shares,
)


@st.composite
def speech_spans(draw):
    edges = sorted(draw(st.lists(times, max_size=8, unique=True)))
    return tuple(
        SpeechSpan(start_s, end_s) for start_s, end_s in zip(edges[::2], edges[1::2], strict=False)
    )


@given(samples, speech_spans(), transcripts, st.none() | st.floats(0, 24_000))
@settings(max_examples=60, deadline=None)
def test_every_declared_feature_is_a_float_that_is_finite_or_nan(
    sound, speech, transcript, bandwidth_hz
):
    audio = Audio(sound, SourceFormat("wav", "pcm_s16le", 16_000, 1, bandwidth_hz))
    values = extract(STANDARD, FeatureContext(audio, speech, transcript))
    assert list(values) == [info.name for group in STANDARD for info in group.features]
    for name, value in values.items():
        assert type(value) is float, name
        assert not math.isinf(value), name


@given(samples.filter(len), speech_spans(), transcripts)
@settings(max_examples=40, deadline=None)
def test_shares_lie_between_nothing_and_all(sound, speech, transcript):
    audio = Audio(sound, SourceFormat("wav", "pcm_s16le", 16_000, 1, None))
    values = extract(STANDARD, FeatureContext(audio, speech, transcript))
    for name, value in values.items():
        if name.endswith("_share") and not math.isnan(value):
            assert -1e-9 <= value <= 1 + 1e-9, name
