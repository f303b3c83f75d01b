"""Announcements (拍卖公告): periods, the publish checklist, notice to parties and priority purchasers."""
