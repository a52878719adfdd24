"""The use cases, one verb per module."""
