"""Plotly figures as pure functions of values; pages only show them."""
