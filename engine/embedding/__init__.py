"""Text to vectors: which models there are, what each of them needs, and the one encoder that runs them all."""
