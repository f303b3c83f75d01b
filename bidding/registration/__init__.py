"""Registration for a lot: codes, bid passwords, admission, priority purchasers (R-BID-04 to 07, R-PRIO-01)."""
