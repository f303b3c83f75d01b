"""Lots, their terms and announcements (拍卖公告), the catalogue and the statistics."""
