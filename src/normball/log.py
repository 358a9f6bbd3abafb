"""The logger `normball`: what was asked and found, and how it was solved; silent until it is listened to."""

from __future__ import annotations

import logging

logger = logging.getLogger("normball")
logger.addHandler(
    logging.NullHandler()
)  # nothing reaches logging's handler of last resort (Python's "Configuring Logging for a Library")
