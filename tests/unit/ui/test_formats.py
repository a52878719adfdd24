"""Numbers look the same everywhere, and foreign text stays text."""

import doctest
import math
import re

import pytest

from ui import formats
from ui.charts import style


@pytest.mark.parametrize("module", [formats, style])
def test_examples_are_true(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]  # a module, by parametrize


def test_what_is_unknown_is_a_dash() -> None:
    unknown = [formats.percent(None), formats.percent(math.nan), formats.interval(None, 1.0)]
    assert {*unknown, formats.seconds(None), formats.when(None), formats.clock(None)} == {"–"}


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "**bold** _italic_ `code`",
        "$x^2$ :red[red] :smile: :material/home:",
        "# heading\n- list\n1. list",
        "a -> b <- c <-> d",
        "ann@example.org https://example.org WWW.example.org",
    ],
)
def test_every_mark_of_markdown_is_escaped(text: str) -> None:
    shown = formats.plain(text)
    assert not re.search(r"(?<!\\)[\[\]<>*_`$#:!()-]", shown)
    assert "\n" not in shown
    assert re.sub(r"\\|\u2060", "", shown) == " ".join(text.split())


@pytest.mark.parametrize("address", ["ann@example.org", "https://a.org", "www.a.org", "WWW.a.org"])
def test_an_address_makes_no_link(address: str) -> None:
    # What is left after Markdown has been read, and looked through for addresses.
    read = formats.plain(address).replace("\\", "")
    assert not re.search(r"https?://|www\.|\w@\w", read, re.IGNORECASE)
