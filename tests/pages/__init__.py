"""The public pages, served whole: HTML and files over HTTP, and bidding in a real Chromium."""
