"""Refusals of enquiries."""

from kernel.errors import Refusal


class EnquiriesClosed(Refusal):
    """The sale has ended, so there is nothing left to ask or to view."""

    code = "enquiries-closed"
    zh = "拍卖已经结束，不再接受咨询和看样预约"
    en = "The sale has ended; questions and viewings are no longer taken"


class TooManyEnquiries(Refusal):
    """A person has so many enquiries on one lot without an answer."""

    code = "too-many-enquiries"
    zh = "您在本标的上有 {most} 件咨询尚待答复，请等待法院答复"
    en = "You have {most} unanswered enquiries on this lot; please wait for the court"


class AlreadyAnswered(Refusal):
    """The court has answered this enquiry; answers are not rewritten."""

    code = "enquiry-answered"
    zh = "该咨询已经答复"
    en = "This enquiry has been answered"
