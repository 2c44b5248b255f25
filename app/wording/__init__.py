"""How every moment, path and piece of text reads, said once for the command line and the screen.

How figures are said is in `engine.figures`, since sentences of the engine hold figures too.
"""
