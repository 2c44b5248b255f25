"""Training and export of models. Torch is imported here alone, and only inside functions."""
