"""Training recognisers: our own small Whisper from scratch, and any Whisper from corrections."""
