"""Refusals of cases and panel decisions."""

from kernel.errors import Refusal


class CaseNumberUnreadable(Refusal):
    """The text is no case number such as （2025）沪0115执恢1234号."""

    code = "case-number-unreadable"
    status = 400
    zh = "案号 {case_no} 无法识别，应形如（2025）沪0115执恢1234号"
    en = "{case_no} is not a case number; expected the form （2025）沪0115执恢1234号"


class CaseNumberTaken(Refusal):
    """The court has a case of this number."""

    code = "case-number-taken"
    zh = "本院已有案号为 {case_no} 的案件"
    en = "This court has a case {case_no} already"


class PartiesIncomplete(Refusal):
    """A case needs somebody to enforce for and exactly one debtor."""

    code = "parties-incomplete"
    rule = "R-ACCT-01"
    zh = (
        "案件须有至少一名申请执行人和恰好一名被执行人（一人一案一账号；其他被执行人另立案件登记），"
        "现有 {applicants} 名、{debtors} 名"
    )
    en = (
        "A case needs at least one enforcement applicant and exactly one debtor (one account per case and debtor; "
        "further debtors have a case of their own); it names {applicants} and {debtors}"
    )


class PartyNamedTwice(Refusal):
    """Two parties of one case carry the same reference."""

    code = "party-named-twice"
    status = 400
    zh = "当事人代号 {ref} 重复"
    en = "Two parties have the reference {ref}"


class IdentityDiffers(Refusal):
    """No account in use has this user name and this confirmed identity number; which of the two differs is not said."""

    code = "identity-differs"
    rule = "R-BID-04"
    zh = "没有用户名与经核验的身份证号均相符的账户"
    en = "No account has both this user name and this confirmed identity number"


class PartyNamedOtherwise(Refusal):
    """The account belongs to somebody else than the party, who is to use it themselves."""

    code = "party-named-otherwise"
    rule = "R-BID-04"
    zh = "账户的实名与当事人 {name} 不符；他人代理的，应当提交授权文件，以代理人身份关联"
    en = "The account's real name is not that of {name}; who acts for a party is linked as its representative"


class NotLinked(Refusal):
    """The party has no account to be parted from."""

    code = "party-not-linked"
    zh = "当事人 {name} 未关联账户"
    en = "{name} is not linked with an account"


class PanelIncomplete(Refusal):
    """A collegial panel has an odd number of different members, at least three."""

    code = "panel-incomplete"
    rule = "R-GEN-05"
    zh = "合议庭成员须为三人以上的单数且不重复，现为 {members} 人"
    en = "A panel has an odd number of different members, at least three; {members} were named"


class WrongDecision(Refusal):
    """The decision was made in another case or on another subject."""

    code = "wrong-decision"
    rule = "R-GEN-05"
    zh = "该合议庭决定不是本案关于{subject_zh}的决定"
    en = "This panel decision is not one of this case on {subject}"
