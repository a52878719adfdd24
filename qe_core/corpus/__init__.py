"""Training material: manifests, degraded versions, transcribed examples."""
