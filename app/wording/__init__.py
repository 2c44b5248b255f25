"""How every figure, moment, path and piece of text reads, said once for the command line and the screen."""
