"""Enforcement cases (执行案件): their parties and the decisions of their collegial panel."""
