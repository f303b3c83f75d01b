"""Who a person is, and that it is really them: accounts, real-name check, passwords and login sessions."""
