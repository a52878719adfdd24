"""The science of Werkbench: pure functions and values, no screen, database or network."""
