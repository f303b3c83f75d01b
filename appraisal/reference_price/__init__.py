"""Reference price (参考价): enquiry reports and appraisals, their objections, and how long the price stays good."""
