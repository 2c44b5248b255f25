"""Everything of Carrel but the screen. Importing it loads nothing heavy; `engine.library` is the door."""

import os

# ONNX Runtime 1.29 and later, as published, give the machine an identifier on disk and tell Microsoft of each session
# unless this is set before they are loaded. Here no import can come first, and what Carrel starts inherits it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
