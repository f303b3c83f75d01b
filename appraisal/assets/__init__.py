"""Assets of a case, the seizures (查封、扣押、冻结) on them, and holds that forbid their disposal."""
