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
    """A hold forbids disposing of the thing: it is not taken, and its money is not paid out."""

    code = "asset-held"
    rule = "R-CASE-09"
    zh = "该财产已停止处分（{reason}），解除前不得以其抵债，其价款不得分配或发放"
    en = "The asset is on hold ({reason}); it may not be taken, nor its proceeds be distributed or paid out"


class ClaimNotInPlan(Refusal):
    """An objection names claims of the plan."""

    code = "claim-not-in-plan"
    rule = "R-DIST-05"
    zh = "所争议的债权不在该分配方案中"
    en = "The disputed claim is not in this plan"


class NothingDisputed(Refusal):
    """The objector names the amount that the plan says already."""

    code = "nothing-disputed"
    rule = "R-DIST-05"
    zh = "异议主张的数额与方案一致，没有争议部分"
    en = "The objection names the amount that the plan says; nothing is disputed"


class ObjectionPartyMismatch(Refusal):
    """The party cannot take this step: no notice is due to them, or it was taken."""

    code = "objection-party-mismatch"
    rule = "R-DIST-05"
    zh = "该当事人不在应通知之列、尚未收到通知，或已办理该步骤"
    en = "No notice is due to this party, it was not given yet, or the party took this step before"


class StepMisdated(Refusal):
    """A day before the step it follows, or after today."""

    code = "step-misdated"
    rule = "R-DIST-05"
    zh = "日期 {day} 须在 {earliest} 至今日 {today} 之间"
    en = "{day} is not between {earliest} and today, {today}"


class CounterLate(Refusal):
    """The fifteen days of the counter-opinion are over."""

    code = "counter-opinion-late"
    rule = "R-DIST-05"
    zh = "反对意见期限已于 {counter_until} 届满"
    en = "The time for a counter-opinion ended on {counter_until}"


class ObjectionAnswered(Refusal):
    """The objection has passed this step."""

    code = "objection-answered"
    rule = "R-DIST-05"
    zh = "该异议已进入后续阶段"
    en = "The objection has passed this step"


class NotOpposed(Refusal):
    """Nobody has opposed the objection."""

    code = "objection-not-opposed"
    rule = "R-DIST-05"
    zh = "尚无人对该异议提出反对意见"
    en = "Nobody has opposed this objection"


class NotTold(Refusal):
    """The objector has not been told of the opposition, so the time to sue has not begun."""

    code = "objector-not-told"
    rule = "R-DIST-05"
    zh = "尚未将反对意见通知异议人，起诉期间未开始"
    en = "The objector has not been told of the opposition yet"


class SuitLate(Refusal):
    """The fifteen days to sue are over; the original plan is paid."""

    code = "suit-late"
    rule = "R-DIST-05"
    zh = "起诉期限已于 {sue_until} 届满，按原方案分配"
    en = "The time to sue ended on {sue_until}; the original plan is paid"


class NotSued(Refusal):
    """There is no suit to be judged."""

    code = "objection-not-sued"
    rule = "R-DIST-05"
    zh = "异议人尚未提起分配方案异议之诉"
    en = "No suit over this objection is on record"


class JudgmentElsewhere(Refusal):
    """A judgment names exactly the claims in dispute."""

    code = "judgment-elsewhere"
    rule = "R-DIST-06"
    zh = "判决须就全部争议债权、且仅就争议债权作出认定"
    en = "The judgment must name exactly the claims in dispute"


class JudgmentOutOfRange(Refusal):
    """The escrow covers what lies between the plan and the objection, nothing beyond."""

    code = "judgment-out-of-range"
    rule = "R-DIST-06"
    zh = "{part_zh}的认定数额须在 {least_fen} 元至 {most_fen} 元之间"
    en = "{part} must lie between {least_fen} and {most_fen} yuan"


class ObjectionsRunning(Refusal):
    """An objection has neither ended nor become a suit."""

    code = "objection-running"
    rule = "R-DIST-05"
    zh = "{name} 的异议尚在处理中（{stage_zh}）"
    en = "The objection of {name} is still running ({stage})"


class NothingToResolve(Refusal):
    """No objection changes or holds back anything: the original plan is to be confirmed."""

    code = "nothing-to-resolve"
    rule = "R-DIST-05"
    zh = "没有需要更正或提存的异议，应按原方案确认"
    en = "No objection corrects the plan or is in suit; confirm the plan itself"


class NoEscrow(Refusal):
    """The plan keeps nothing in escrow, or what it kept was released."""

    code = "no-escrow"
    rule = "R-DIST-06"
    zh = "该方案没有待处理的提存款项"
    en = "Nothing is kept in escrow under this plan"


class SuitPending(Refusal):
    """A suit over the plan is not decided; its escrow stays."""

    code = "suit-pending"
    rule = "R-DIST-06"
    zh = "{name} 的分配方案异议之诉尚未审结，提存款项暂不得分配"
    en = "The suit of {name} is not decided; the escrow stays"


class NoCreditorParty(Refusal):
    """Only a creditor of the case may join its distribution."""

    code = "no-creditor-party"
    rule = "R-DIST-01"
    zh = "该当事人不是债权人，不能申请参与分配"
    en = "This party is no creditor and cannot join the distribution"


class ApplicationMisdated(Refusal):
    """An application dated after today, or by the creditor themselves for another day than today."""

    code = "application-misdated"
    rule = "R-DIST-02"
    zh = "申请日 {applied_on} 有误，今日为 {today}"
    en = "{applied_on} cannot be the day of the application; today is {today}"


class ParticipationLate(Refusal):
    """The court's cut-off has passed."""

    code = "participation-late"
    rule = "R-DIST-02"
    zh = "申请参与分配的期限已于 {cut_off_on} 届满"
    en = "The time to join the distribution ended on {cut_off_on}"


class AppliedBefore(Refusal):
    """The creditor has applied under this title."""

    code = "applied-before"
    rule = "R-DIST-02"
    zh = "已依 {title_no} 申请参与分配"
    en = "An application under {title_no} is on record"


class InterestStillRuns(Refusal):
    """No ruling has taken effect and no money has come in, so the interest still runs."""

    code = "interest-still-runs"
    rule = "R-INT-04"
    zh = "尚无成交裁定生效，亦无案款到账，加倍部分债务利息仍在计算中"
    en = "No sale ruling has taken effect and no money came in, so the doubled interest still runs"


class BankruptcyAccepted(Refusal):
    """A court accepted the debtor's bankruptcy: what is not paid out yet is handed over."""

    code = "bankruptcy-accepted"
    rule = "R-DIST-17"
    zh = "{court} 已于 {accepted_on} 受理被执行人破产，尚未发放的案款应当移交，停止分配和发放"
    en = "{court} accepted the debtor's bankruptcy on {accepted_on}; money not yet paid out is to be handed over"


class AcceptanceMisdated(Refusal):
    """A bankruptcy accepted on a day to come."""

    code = "acceptance-misdated"
    rule = "R-DIST-17"
    zh = "受理日不得晚于今日 {today}"
    en = "The day of acceptance cannot lie after today, {today}"


class SatisfactionShort(Refusal):
    """The plan gives a taker, or a buyer who set the price off, less than they kept back of it."""

    code = "satisfaction-short"
    rule = "R-FAIL-03"
    zh = "以物抵债或以债权抵价款的债权人按本方案可受偿数额少于其未补交的价款，差额 {missing_fen} 元须先行补交"
    en = "The plan gives less than was kept back of the price; {missing_fen} yuan have to be paid in first"


class NoFailedRound(Refusal):
    """Only what nobody bought can be taken, while it is not on sale again."""

    code = "no-failed-round"
    rule = "R-FAIL-03"
    zh = "仅在流拍后且未再次上拍时，债权人可申请以该次保留价以物抵债"
    en = "A thing can be taken in satisfaction only after a failed round, while it is not on sale again"


class NoTaker(Refusal):
    """Only creditors of the case with an open claim take in satisfaction."""

    code = "no-taker"
    rule = "R-FAIL-03"
    zh = "承受人须为本案参与分配的债权人且其债权尚未受偿"
    en = "The taker must be a creditor of the case whose claim takes part and is still open"


class NotSenior(Refusal):
    """Another creditor who asked has the better rank."""

    code = "not-senior"
    rule = "R-FAIL-03"
    zh = "{name} 的法定受偿顺位在先，应由其优先承受"
    en = "{name} asked too and ranks before; the senior creditor takes first"


class LotNotDrawn(Refusal):
    """Creditors of equal rank asked, and the decision does not say that the lot was drawn."""

    code = "lot-not-drawn"
    rule = "R-FAIL-03"
    zh = "同一顺位有多名债权人申请承受，须抽签决定（决定中写明 drawn_lot = 承受人 ref）"
    en = "Several creditors of equal rank asked: the decision must name whom the lot fell on (drawn_lot)"


class TakingNotThere(Refusal):
    """The step does not fit where the taking stands."""

    code = "taking-not-there"
    rule = "R-FAIL-04"
    zh = "该以物抵债目前为“{state_zh}”，不能进行此步骤"
    en = "The taking stands at {state}; this step does not fit there"


class TakingNotOverdue(Refusal):
    """The taker still has time to pay in."""

    code = "taking-not-overdue"
    rule = "R-FAIL-04"
    zh = "补交差价的期限至 {due_on}，尚未届满"
    en = "The difference may be paid in until {due_on}"
