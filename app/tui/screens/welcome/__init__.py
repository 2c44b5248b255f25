"""The first run: a folder is asked for, and the keys are told in five lines."""
