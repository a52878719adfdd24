"""Where somebody speaks: Silero voice activity detection, from faster-whisper's wheel."""

from faster_whisper.vad import VadOptions, get_speech_timestamps

from qe_core.types import SAMPLE_RATE_HZ, Audio, SpeechSpan

__all__ = ["find_speech"]

# Windows of this length bound the detector's memory; it keeps no state that matters across them.
_WINDOW_S = 600
# Pauses shorter than this stay inside a span; padding keeps soft onsets and endings.
_OPTIONS = VadOptions(min_silence_duration_ms=300, speech_pad_ms=60, min_speech_duration_ms=60)


def find_speech(audio: Audio) -> tuple[SpeechSpan, ...]:
    """Find the stretches of a clip in which somebody speaks.

    Args:
        audio: the clip

    Returns:
        spans in time order that do not overlap, possibly none

    References:
        Silero Team (2024), Silero VAD, https://github.com/snakers4/silero-vad
    """
    window = _WINDOW_S * SAMPLE_RATE_HZ
    spans: list[SpeechSpan] = []
    for offset in range(0, len(audio.samples), window):
        found = get_speech_timestamps(audio.samples[offset : offset + window], _OPTIONS)
        spans += [
            SpeechSpan(
                (offset + span["start"]) / SAMPLE_RATE_HZ, (offset + span["end"]) / SAMPLE_RATE_HZ
            )
            for span in found
            if span["end"] > span["start"]
        ]
    return tuple(spans)
