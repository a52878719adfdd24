"""What pages share: components, charts, cached resources, state keys."""
