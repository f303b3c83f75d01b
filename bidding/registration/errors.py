"""Refusals of a registration."""

from kernel.errors import Refusal


class ClaimUnknown(Refusal):
    """An enforcement applicant's deposit follows from the claim, which is not stated."""

    code = "claim-unknown"
    rule = "R-BID-05"
    zh = "申请执行人参加竞买，须先核定其债权数额"
    en = "The claim of a bidding enforcement applicant must be stated first"


class NotTheApplicant(Refusal):
    """Only the enforcement applicant of this very case is spared the deposit."""

    code = "not-the-applicant"
    rule = "R-BID-05"
    zh = "您不是本案申请执行人，请以普通竞买人身份报名"
    en = "You are not the enforcement applicant of this case; register as an ordinary bidder"


class BarredFromSale(Refusal):
    """The enforcing court, the platform, helpers and their staff may not buy, nor the buyer who defaulted."""

    code = "barred"
    rule = "R-BID-14"
    zh = "依法不得参加本标的竞买"
    en = "The law bars you from bidding on this lot"


class AnnouncementChanged(Refusal):
    """What a bidder accepts is the announcement of this very lot as it was published, and no other text."""

    code = "announcement-changed"
    rule = "R-PUB-04"
    zh = "您所接受的不是本标的现行公告，请阅读现行公告后重新报名"
    en = "What you accepted is not this lot's present announcement; read that and register again"


class BiddingHasBegun(Refusal):
    """Agents and joint bidders are confirmed by the court before bidding begins, or not at all."""

    code = "bidding-has-begun"
    rule = "R-PUB-04"
    zh = "委托代理、联合竞买须在竞价开始前经执行法院确认"
    en = "Agents and joint bidders must be confirmed by the court before bidding begins"


class TakesPartAlready(Refusal):
    """Nobody stands behind two registrations of one lot, alone, with others or through others."""

    code = "takes-part-already"
    rule = "R-PUB-04"
    zh = "相关人员已报名本标的，或已作为代理人、委托人、联合竞买人参加"
    en = "One of them takes part in this lot already: registered, or as agent, principal or joint bidder"


class EligibilityNotDeclared(Refusal):
    """Nobody is admitted without declaring that no purchase limit stands in the way."""

    code = "eligibility-not-declared"
    rule = "R-HOME-01"
    zh = "请先声明您具备法律、行政法规规定的竞买资格，且不受限购政策限制"
    en = "Declare first that you are qualified and that no purchase limit bars you"


class RegistrationClosed(Refusal):
    """Bidding has ended; until then, extensions included, registration stays open."""

    code = "registration-closed"
    rule = "R-BID-06"
    zh = "竞价已经结束，报名已截止"
    en = "Bidding has ended, and registration with it"


class AlreadyRegistered(Refusal):
    """One person, one registration on a lot; its kind is not changed by asking again."""

    code = "already-registered"
    rule = "R-BID-07"
    zh = "您已报名本标的"
    en = "You are registered on this lot already"


class NotAdmitted(Refusal):
    """The deposit has not been confirmed, or was given back."""

    code = "not-admitted"
    rule = "R-BID-06"
    zh = "您尚未取得本标的的竞买资格，请先交纳保证金"
    en = "You are not admitted to this lot; the deposit comes first"


class WrongBidPassword(Refusal):
    """Not the bid password (参拍密码) issued last."""

    code = "wrong-bid-password"
    rule = "R-BID-07"
    zh = "参拍密码不正确"
    en = "This is not your bid password"


class PasswordRequired(Refusal):
    """A bid from a login session in which the bid password was not entered for this lot."""

    code = "password-required"
    rule = "R-BID-07"
    zh = "请先输入参拍密码"
    en = "Enter your bid password first"


class LeadsNow(Refusal):
    """A bid cannot be withdrawn, so its bidder stays while it leads, and the buyer after that."""

    code = "leads-now"
    rule = "R-BID-13"
    zh = "该竞买人正在领先或已经竞得，不能退出"
    en = "This bidder leads or has won and cannot be released"


class IdentitySealed(Refusal):
    """Who stands behind a code is secret until bidding has ended."""

    code = "identity-sealed"
    rule = "R-BID-07"
    zh = "竞价结束前，竞买人身份保密"
    en = "Who bids is secret until bidding has ended"
