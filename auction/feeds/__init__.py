"""Feeds (订阅与开放数据): published lots for machines, as Atom, iCalendar, JSON and CSV (docs/open-data.md)."""
