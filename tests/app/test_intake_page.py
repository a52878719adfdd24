"""Taking audio in on the intake page."""

import pytest

from storage.repositories import jobs
from tests.app.conftest import OpenPage
from tests.desk_clips import store_playable
from workbench import library
from workbench.runtime import Runtime

pytestmark = pytest.mark.slow

FIRST = "intake.files.0"
SECOND = "intake.files.1"
HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) **b** $x$ :red[y]"


def test_refused_files_say_why_and_the_others_go_on(
    installation: Runtime, open_page: OpenPage, speech_wav: bytes
) -> None:
    app = open_page("intake")
    app.file_uploader(key=FIRST).set_value(
        [
            ("empty.wav", b"", "audio/wav"),
            ("notes.wav", b"these are notes, no sound. " * 100, "audio/wav"),
            ("call.wav", speech_wav, "audio/wav"),
        ]
    )
    app.run()
    assert not app.exception
    assert len(app.error) == 2
    assert "empty" in app.error[0].value
    assert [row.file_name for row in library.search(installation).rows] == ["call.wav"]
    assert any("call\\.wav" in text.value for text in app.markdown)


def test_the_same_file_twice_is_one_clip_and_said_so(
    installation: Runtime, open_page: OpenPage, speech_wav: bytes
) -> None:
    app = open_page("intake")
    app.file_uploader(key=FIRST).set_value([("call.wav", speech_wav, "audio/wav")])
    app.run()
    app.file_uploader(key=SECOND).set_value([("copy.wav", speech_wav, "audio/wav")])
    app.run()
    assert library.search(installation).total == 1
    assert "is there already" in app.info[0].value


def test_a_recording_of_the_browser_becomes_a_clip(
    installation: Runtime, open_page: OpenPage, speech_wav: bytes
) -> None:
    app = open_page("intake")
    app.segmented_control(key="intake.source").set_value("Browser recorder").run()
    app.audio_input(key="intake.recording.0").set_value(("audio.wav", speech_wav, "audio/wav"))
    app.run()
    assert not app.exception
    assert [row.source for row in library.search(installation).rows] == ["microphone"]


def test_a_failed_job_shows_reason_and_suggestion(
    installation: Runtime, open_page: OpenPage, speech_wav: bytes
) -> None:
    app = open_page("intake")
    app.file_uploader(key=FIRST).set_value([("call.wav", speech_wav, "audio/wav")])
    app.run()

    def fail(session: jobs.Session) -> None:
        job = jobs.take_next(session, ["assess"])
        assert job is not None
        jobs.fail(session, job, error="The recogniser stopped.", suggestion="Start it again.")

    installation.database.write(fail)
    app.run()
    assert "The recogniser stopped" in app.error[0].value
    assert "Start it again" in app.error[0].value
    clip_id = library.search(installation).rows[0].clip_id
    app.button(key=f"intake.retry.{clip_id}").click().run()
    assert not app.error
    assert any("Queued" in text.value for text in app.markdown)


def test_a_ready_clip_shows_transcript_estimate_and_flag(
    installation: Runtime, open_page: OpenPage
) -> None:
    store_playable(installation, "one two three four five six seven", file_name="call.wav")
    app = open_page("intake")
    assert "one two three four five six seven" in [text.value for text in app.text]
    assert {"Predicted WER", "90 % interval"} <= {metric.label for metric in app.metric}
    assert any("flagged" in text.value.lower() for text in app.markdown)


def test_another_clip_is_opened_and_closed(installation: Runtime, open_page: OpenPage) -> None:
    older = store_playable(installation, "the older one", file_name="older.wav")
    store_playable(installation, "the newer one", file_name="newer.wav")
    app = open_page("intake")
    app.button(key=f"intake.open.{older}").click().run()
    assert len(app.metric) == 3
    app.button(key=f"intake.open.{older}").click().run()
    assert not app.metric


def test_foreign_text_is_inert(installation: Runtime, open_page: OpenPage) -> None:
    store_playable(installation, f"hello {HOSTILE}", file_name=HOSTILE.replace("/", ""))
    app = open_page("intake")
    shown = [text.value for text in (*app.markdown, *app.caption)]
    assert all("<script>" not in text and "](javascript" not in text for text in shown)
    assert any("hello <script>" in text.value for text in app.text)
    assert not any(text.allow_html for text in app.markdown if "alert" in text.value)
