"""Catalogue (公开目录): search over published lots, and the public page of one lot."""
