"""The parts of an explanation, each a pure function from the figures that placed a row to painted lines."""
