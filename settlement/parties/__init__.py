"""What a creditor or the debtor sees of their own case: the plan, their statement, their clocks, their papers."""
