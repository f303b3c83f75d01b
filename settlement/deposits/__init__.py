"""Bidders' deposits: accounts, holds, admission, release after the close (R-BID-04 to 06, R-CLOSE-02, 03)."""
