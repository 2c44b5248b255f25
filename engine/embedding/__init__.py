"""Turns text into vectors: the models that there are, what each of them needs, and the encoder that runs them all."""
