"""How every moment, path and piece of text reads, said once for the command line and the screen; figures are in the
engine, whose sentences have them too."""
