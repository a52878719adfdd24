"""Names from outside are fit for screens and logs."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qe_core.audio import safe_file_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("call.wav", "call.wav"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\call 1.mp3", "call 1.mp3"),
        ("/absolute/path.wav", "path.wav"),
        ("", "clip"),
        (".", "clip"),
        ("..", "clip"),
        ("../", "clip"),
        ("   ", "clip"),
        ("\u200d", "clip"),
        ("a\x00b\nc\td.wav", "a b c d.wav"),
        ("\x1b[31mred.wav", "[31mred.wav"),
        ("gnp.\u202ewav.exe", "gnp. wav.exe"),
        ("🎤 Gespräch.wav", "🎤 Gespräch.wav"),
        ("👩‍💻.ogg", "👩‍💻.ogg"),
        ("cafe\u0301.wav", "café.wav"),
        ("<script>alert(1)<script>.wav", "<script>alert(1)<script>.wav"),
        ("\ud800broken.wav", "broken.wav"),
    ],
)
def test_name_becomes_displayable(name: str, expected: str) -> None:
    assert safe_file_name(name) == expected


def test_a_long_name_keeps_its_ending() -> None:
    name = safe_file_name("x" * 300 + ".wav")
    assert len(name) == 120
    assert name.endswith("x….wav")


@pytest.mark.parametrize("name", ["x" * 300, "." + "x" * 300, "a." + "b" * 300])
def test_a_long_name_without_a_real_ending_is_cut(name: str) -> None:
    assert len(safe_file_name(name)) == 120
    assert safe_file_name(name).endswith("…")


@given(st.text(max_size=400))
def test_any_name_becomes_short_visible_and_stays_itself(name: str) -> None:
    safe = safe_file_name(name)
    assert 1 <= len(safe) <= 120
    assert not set(safe) & set("/\\\n\r\t\x00")
    assert safe not in {".", ".."}
    assert all(unicodedata.category(char)[0] != "C" or char in "\u200c\u200d" for char in safe)
    assert safe_file_name(safe) == safe
