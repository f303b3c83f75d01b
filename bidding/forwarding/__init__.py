"""Bids on their way from any web process to the desk of their lot (decision 0010).

The web's end is `forwarder`, the desk's end `door`, the frames between them `schemas`. Where a desk is found stands in
its lease row. Nothing is decided here, and nothing is lost: what has no answer is sent again to the next desk under
its key, and the key decides it once.
"""
