"""Refusals of a registration."""

from kernel.errors import Refusal


class ClaimUnknown(Refusal):
    """An enforcement applicant's deposit follows from the claim, which is not stated."""

    code = "claim-unknown"
    rule = "R-BID-05"
    zh = "申请执行人参加竞买，须先核定其债权数额"
    en = "The claim of a bidding enforcement applicant must be stated first"
