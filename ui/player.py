"""Playing a clip, or a stretch of it, from where its sound is served."""

from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

__all__ = ["show_player"]


def show_player(
    clip_id: str, media_path: Path, *, start_s: float = 0.0, end_s: float | None = None
) -> None:
    """Show a player; with an end, it starts by itself and stops there.

    The browser asks the API for the ranges it needs: a two-hour file never sits in memory.

    Args:
        clip_id: the clip
        media_path: its file, for where no browser is on the other side
        start_s: where to start
        end_s: where to stop
    """
    st.audio(
        _address(clip_id) or str(media_path),
        start_time=start_s,
        end_time=end_s,
        autoplay=end_s is not None,
    )


def _address(clip_id: str) -> str | None:
    if not st.context.url:
        return None
    page = urlsplit(st.context.url)
    return f"{page.scheme}://{page.netloc}/api/v1/clips/{clip_id}/audio"
