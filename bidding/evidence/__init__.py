"""Evidence: the log of all lots, its anchors outside the database, and bundles that verify without one."""
