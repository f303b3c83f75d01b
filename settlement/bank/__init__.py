"""The bank: credit notices in, payment orders out, through one port (R-ACCT-02, R-ACCT-05)."""
