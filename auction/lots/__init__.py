"""Lots (拍卖标的): the terms the panel decides, their legal bounds, and the road through the rounds."""
