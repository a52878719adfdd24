"""Which clip to review next, how good the stream is, whether it drifts."""
