"""Files that banks speak (ISO 20022): statements and notices in, payment orders out (R-ACCT-02, 05, 08)."""
