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


class UnknownUser(Refusal):
    """A party is to be linked with a user name that nobody has."""

    code = "unknown-user"
    zh = "没有用户名为 {username} 的用户"
    en = "Nobody has the user name {username}"


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
    zh = "该合议庭决定不是本案关于 {subject} 的决定"
    en = "This panel decision is not one of this case on {subject}"
