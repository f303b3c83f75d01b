"""Registration of bidders, the desk that decides bids and closes lots, and the live feed."""
