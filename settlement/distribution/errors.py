"""Refusals on the way of a distribution plan."""

from kernel.errors import Refusal


class NothingToDistribute(Refusal):
    """No money has come into the case account since the last confirmed plan."""

    code = "nothing-to-distribute"
    rule = "R-DIST-04"
    zh = "自上一份已确认的分配方案以来，没有新的可分配案款"
    en = "No distributable money has come in since the last confirmed plan"


class NoClaims(Refusal):
    """Nobody has registered a claim."""

    code = "no-claims"
    rule = "R-DIST-04"
    zh = "本案尚未登记任何债权，不能制作分配方案"
    en = "No claim is registered in this case, so there is nobody to distribute to"


class FeeNotSet(Refusal):
    """The enforcement fee comes off the proceeds before any creditor; a plan without it would give it away."""

    code = "fee-not-set"
    rule = "R-COST-02"
    zh = "尚未确定执行申请费（可定为 0 并写明理由），不能制作分配方案"
    en = "The enforcement fee has not been set (it may be set to 0 with a reason), so no plan can be drafted"


class PlanSuperseded(Refusal):
    """A later version has taken the plan's place."""

    code = "plan-superseded"
    rule = "R-DIST-04"
    zh = "该分配方案已由第 {version} 版取代"
    en = "Version {version} has taken the place of this plan"


class PlanStale(Refusal):
    """Money, costs, claims or names have changed since the plan was drafted."""

    code = "plan-stale"
    rule = "R-DIST-04"
    zh = "方案制作后案款、费用或债权已有变动（{changed_zh}），请重新制作并送达"
    en = "Since the plan was drafted {changed} changed; draft and serve a new version"


class PlanDecided(Refusal):
    """The panel has decided on this version already."""

    code = "plan-decided"
    rule = "R-DIST-04"
    zh = "合议庭已就该方案作出决定"
    en = "The panel has decided on this plan already"


class PlanNotDecided(Refusal):
    """The panel has not decided on this version."""

    code = "plan-not-decided"
    rule = "R-DIST-04"
    zh = "该方案尚未经合议庭决定，不能送达或确认"
    en = "The panel has not decided on this plan, so it can be neither served nor confirmed"


class PlanConfirmed(Refusal):
    """The plan stands; nothing more can be done to it."""

    code = "plan-confirmed"
    rule = "R-DIST-05"
    zh = "该方案已经确认"
    en = "This plan is confirmed already"


class NotRecipient(Refusal):
    """The plan is served on creditors that take part and on the debtor; only they may object."""

    code = "not-a-recipient"
    rule = "R-DIST-04"
    zh = "该当事人既不是参与分配的债权人，也不是被执行人"
    en = "This party is neither a creditor that takes part nor the debtor"


class ServedBefore(Refusal):
    """The plan was served on this party; its clock runs from then."""

    code = "served-before"
    rule = "R-DIST-05"
    zh = "该方案已于 {served_on} 送达该当事人"
    en = "The plan was served on this party on {served_on}"


class ServedTooEarly(Refusal):
    """The day of service lies before the plan was decided."""

    code = "served-too-early"
    rule = "R-DIST-05"
    zh = "送达日 {served_on} 早于合议庭决定登记之日 {decided_on}"
    en = "The plan was decided on {decided_on}; it cannot have been served on {served_on}"


class NotServed(Refusal):
    """Somebody has not been served yet, so the time to object has not begun for them."""

    code = "plan-not-served"
    rule = "R-DIST-05"
    zh = "分配方案尚未送达：{waiting_for}"
    en = "The plan has not been served on: {waiting_for}"


class ObjectionPeriodRunning(Refusal):
    """Somebody may still object."""

    code = "objection-period-running"
    rule = "R-DIST-05"
    zh = "{name} 的异议期至 {objection_until} 届满，之后方可确认"
    en = "{name} may object until {objection_until}; the plan can be confirmed after that day"


class PlanObjected(Refusal):
    """Somebody objected; the plan cannot be paid as it stands."""

    code = "plan-objected"
    rule = "R-DIST-05"
    zh = "{name} 已于 {objected_on} 对分配方案提出书面异议，不能直接确认"
    en = "{name} objected in writing on {objected_on}; the plan cannot be confirmed as it stands"


class ObjectionLate(Refusal):
    """The fifteen days of this party are over."""

    code = "objection-late"
    rule = "R-DIST-05"
    zh = "异议期已于 {objection_until} 届满"
    en = "The time to object ended on {objection_until}"


class ObjectionUndated(Refusal):
    """An objection dated before service or after today."""

    code = "objection-misdated"
    rule = "R-DIST-05"
    zh = "异议日期须在送达日 {served_on} 至今日 {today} 之间"
    en = "An objection is made from the day of service, {served_on}, to today, {today}"


class AssetHeld(Refusal):
    """A hold forbids disposing of the thing whose money this is."""

    code = "asset-held"
    rule = "R-CASE-09"
    zh = "财产处于停止处置状态（{reason}），其价款暂不得分配或发放"
    en = "The asset is on hold ({reason}); its proceeds may not be distributed or paid out now"
