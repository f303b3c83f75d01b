"""`auction demo`: published sales replayed from seizure to payout against the running server, in racing time."""
