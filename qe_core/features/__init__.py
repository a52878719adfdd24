"""Numbers that say how likely a transcript is wrong."""
