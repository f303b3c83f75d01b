"""Registration (报名): deposits due, admission, bidder codes and priority purchasers."""
