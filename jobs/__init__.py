"""What runs without a browser."""
