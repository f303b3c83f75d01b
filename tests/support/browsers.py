"""Where a Chromium is, if there is one."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """Path of the system's Chromium; None if it has none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)
