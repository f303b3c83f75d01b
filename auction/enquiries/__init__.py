"""Enquiries (咨询与看样): questions to the court about a lot, and requests to view it, with the court's answers."""
