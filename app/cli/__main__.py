"""`python -m app.cli` is `carrel`, for a checkout that is not installed."""

from __future__ import annotations

import sys

from carrel_launcher import main

sys.exit(main())
