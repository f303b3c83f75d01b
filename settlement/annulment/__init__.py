"""Annulment of a sale (撤销拍卖): grounds, what stands in its way, and the resale that follows."""
