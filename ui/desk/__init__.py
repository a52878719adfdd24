"""The review desk: where a transcript is corrected by ear."""

from ui.desk.component import received_events, review_desk
from ui.desk.session import DeskSession, DeskView

__all__ = ["DeskSession", "DeskView", "received_events", "review_desk"]
