"""FastAPI routes over the use cases."""
