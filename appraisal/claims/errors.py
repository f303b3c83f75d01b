"""Refusals of titled claims."""

from kernel.errors import Refusal


class NoCreditor(Refusal):
    """The party cannot be paid out of the proceeds as a creditor."""

    code = "no-creditor"
    rule = "R-DIST-01"
    zh = "{name} 不是申请执行人、其他债权人或税务机关，不能登记债权"
    en = "{name} is no enforcement applicant, creditor or tax authority and cannot have a claim here"


class AssetNeeded(Refusal):
    """A claim that is preferred on one asset must name it."""

    code = "asset-needed"
    rule = "R-DIST-10"
    zh = "{kind_zh}须写明优先受偿的财产"
    en = "A claim of kind {kind} must name the asset it is preferred on"


class AssetNotMeant(Refusal):
    """A claim without preference on an asset names one."""

    code = "asset-not-meant"
    rule = "R-DIST-10"
    zh = "{kind_zh}不就特定财产优先受偿，不应填写财产"
    en = "A claim of kind {kind} is not preferred on one asset and must name none"


class NothingClaimed(Refusal):
    """All parts of the claim are zero."""

    code = "nothing-claimed"
    zh = "债权各部分合计须大于零"
    en = "The parts of a claim must sum to more than zero"


class ClaimTooLarge(Refusal):
    """The parts together exceed what an amount may be."""

    code = "claim-too-large"
    status = 400
    zh = "债权合计不得超过 {most_fen} 元"
    en = "A claim may be {most_fen} yuan at most in all"


class DoubledPartNotMeant(Refusal):
    """Taxes, fines and confiscation are owed to the state: late performance doubles nothing."""

    code = "doubled-part-not-meant"
    rule = "R-INT-01"
    zh = "{kind_zh}没有加倍部分债务利息"
    en = "A claim of kind {kind} has no doubled part of interest"


class ClaimRegistered(Refusal):
    """The party has this claim under this title already."""

    code = "claim-registered"
    zh = "该当事人依 {title_no} 的同类债权已登记"
    en = "This party's claim of this kind under {title_no} is registered already"
