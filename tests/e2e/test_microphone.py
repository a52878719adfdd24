"""Live recording through streamlit-webrtc, with Chromium's fake microphone."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from qe_core.audio import decode
from qe_core.config import AudioSettings
from tests.builders import wav_bytes
from tests.e2e.conftest import ROOT, serving

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket, pytest.mark.timeout(600)]

WORK_MS = 120_000
LONG_ENOUGH = re.compile(r"Recording: (?:[6-9]|\d\d)\.\d s")
LOUD_ENOUGH = re.compile(r"level -[1-4]\d dBFS")


def test_what_the_microphone_hears_becomes_a_clip_with_a_transcript(
    tmp_path: Path, launch: Callable[..., Page]
) -> None:
    said = ROOT / "sample_audio" / "voice_message.flac"
    microphone = tmp_path / "microphone.wav"
    audio = decode(said, name=said.name, limits=AudioSettings())
    microphone.write_bytes(wav_bytes(audio.samples))
    page = launch(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
        "--disable-features=WebRtcHideLocalIpsWithMdns",
    )
    with serving(tmp_path / "data") as url:
        page.goto(url)
        page.get_by_text("Live microphone", exact=True).click()
        recorder = page.frame_locator("iframe[title*=webrtc]")
        recorder.get_by_role("button", name="Start recording").click()
        expect(page.get_by_text(LONG_ENOUGH)).to_be_visible(timeout=WORK_MS)
        expect(page.get_by_text(LOUD_ENOUGH)).to_be_visible(timeout=WORK_MS)
        recorder.get_by_role("button", name="Stop and save").click()

        expect(page.get_by_text("Saved")).to_be_visible(timeout=WORK_MS)
        expect(page.get_by_text("Predicted WER")).to_be_visible(timeout=WORK_MS)
        hypothesis = page.get_by_test_id("stText").first.inner_text()
        assert {"garage", "car", "ready"} & set(hypothesis.split())
