"""The settings: what can be changed, in plain words, and the keys."""
