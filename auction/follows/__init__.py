"""Follows (关注): which published lots a person wants to be reminded of. Nobody but that person is told."""
