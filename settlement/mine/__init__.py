"""My place (我的): everything that has become of one bidder's registrations, for that bidder alone."""
