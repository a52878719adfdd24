"""How numbers and foreign text are written on every page."""

import html
import math
import re
from datetime import datetime

__all__ = [
    "capitalised",
    "chart_text",
    "clock",
    "counted",
    "interval",
    "number",
    "percent",
    "plain",
    "seconds",
    "when",
]

_NO_VALUE = "–"
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_REPLACED = re.compile(r"(\\:(?=\w|\\/)|\\@|www(?=\\\.)|\\[<>=~-](?=\\[<>=~-]))", re.IGNORECASE)
_WORD_JOINER = "\u2060"


def capitalised(label: str) -> str:
    """A label at the beginning of a line; abbreviations in it stay as they are.

    Examples:
        >>> capitalised("predicted WER")
        'Predicted WER'
    """
    return label[:1].upper() + label[1:]


def percent(share: float | None) -> str:
    """A share or a WER in percent, without decimals.

    Examples:
        >>> percent(0.125), percent(1.5), percent(None)
        ('12 %', '150 %', '–')
    """
    return _NO_VALUE if share is None or math.isnan(share) else f"{share:.0%}".replace("%", " %")


def interval(low: float | None, high: float | None) -> str:
    """A range of shares in percent.

    Examples:
        >>> interval(0.12, 0.34)
        '12–34 %'
    """
    if low is None or high is None:
        return _NO_VALUE
    return f"{low * 100:.0f}–{percent(high)}"


def seconds(value_s: float | None) -> str:
    """A time in seconds with one decimal.

    Examples:
        >>> seconds(12.345)
        '12.3 s'
    """
    return _NO_VALUE if value_s is None else f"{value_s:.1f} s"


def clock(duration_s: float | None) -> str:
    """The length of a clip: seconds below a minute, then minutes, then hours.

    Examples:
        >>> clock(9.96), clock(75), clock(7205)
        ('10.0 s', '1:15 min', '2:00:05 h')
    """
    if duration_s is None or duration_s < 60:  # noqa: PLR2004 - seconds in a minute
        return seconds(duration_s)
    minutes, rest = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"


def counted(count: float, noun: str) -> str:
    """How many of something there are, rounded, with the noun in its number.

    Examples:
        >>> counted(1, "clip"), counted(2400, "clip"), counted(0.4, "minute")
        ('1 clip', '2,400 clips', '0 minutes')
    """
    rounded = f"{count:,.0f}"
    return f"{rounded} {noun}" if rounded == "1" else f"{rounded} {noun}s"


def number(value: float | None, digits: int = 2) -> str:
    """A plain number, e.g. a correlation.

    Examples:
        >>> number(0.4567), number(float("nan"))
        ('0.46', '–')
    """
    return _NO_VALUE if value is None or math.isnan(value) else f"{value:.{digits}f}"


def when(moment: datetime | None) -> str:
    """A moment as date and minute; the database keeps UTC.

    Examples:
        >>> when(datetime(2026, 1, 2, 3, 4, 5))
        '2026-01-02 03:04 UTC'
    """
    return _NO_VALUE if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


def plain(text: str) -> str:
    r"""Foreign text (a file name, a transcript) as Markdown that shows exactly that text.

    Line breaks become spaces. Streamlit replaces ``:name:`` and ``->``, and makes links of
    addresses, after Markdown has been read, when a backslash no longer protects them; an invisible
    joiner does.

    Examples:
        >>> print(plain("**b** $x$ [x](y)"))
        \*\*b\*\* \$x\$ \[x\]\(y\)
    """
    escaped = _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))
    return _REPLACED.sub(rf"\1{_WORD_JOINER}", escaped)


def chart_text(text: str) -> str:
    """Foreign text for a Plotly label, which reads a few HTML tags.

    Examples:
        >>> chart_text("<a href='x'>y</a>")
        '&lt;a href=&#x27;x&#x27;&gt;y&lt;/a&gt;'
    """
    return html.escape(text)
