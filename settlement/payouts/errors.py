"""Refusals of payouts."""

from kernel.errors import Refusal


class PlanNotConfirmed(Refusal):
    """Money leaves the case account by a confirmed plan only."""

    code = "plan-not-confirmed"
    rule = "R-DIST-05"
    zh = "分配方案尚未确认，不能发放案款"
    en = "The plan is not confirmed, so nothing can be paid by it"


class NothingToPay(Refusal):
    """All lines are paid or on their way, or no payee left has an account."""

    code = "nothing-to-pay"
    rule = "R-ACCT-03"
    zh = "该方案没有可发放的款项（{waiting} 名收款人尚无收款账户）"
    en = "There is nothing to pay out by this plan ({waiting} payees have no account yet)"


class PayoutWaiting(Refusal):
    """A batch of this plan waits for its check or its payment."""

    code = "payout-waiting"
    rule = "R-ACCT-06"
    zh = "该方案已有待复核或待支付的发放批次"
    en = "A batch of this plan is waiting to be checked or paid"


class SamePerson(Refusal):
    """Maker, checker and payer are three people."""

    code = "same-person"
    rule = "R-ACCT-06"
    zh = "制单、复核、支付须由三人分别办理，您已办理其中一步"
    en = "Maker, checker and payer are three different people, and you did one of these steps"


class HashDiffers(Refusal):
    """The hash given is not that of the batch: something else was shown to the person who signs."""

    code = "payout-hash-differs"
    rule = "R-ACCT-06"
    zh = "所签摘要与该批次不符"
    en = "The hash that was given is not the hash of this batch"


class PayeeChanged(Refusal):
    """A payee's account is no longer the one in the batch, so its approval is void."""

    code = "payee-changed"
    rule = "R-ACCT-06"
    zh = "批次制作后收款人或收款账户已变更（{payee}），原审批失效，请重新制单"
    en = "The account of {payee} has changed since the batch was made; its approval is void, make a new batch"


class PayoutVoid(Refusal):
    """A later batch has taken this one's place."""

    code = "payout-void"
    rule = "R-ACCT-06"
    zh = "该批次已作废"
    en = "This batch is void"


class PayoutChecked(Refusal):
    """The batch has been checked already."""

    code = "payout-checked"
    rule = "R-ACCT-06"
    zh = "该批次已复核"
    en = "This batch has been checked already"


class PayoutNotChecked(Refusal):
    """The batch has not been checked."""

    code = "payout-not-checked"
    rule = "R-ACCT-06"
    zh = "该批次尚未复核"
    en = "This batch has not been checked yet"


class PayoutPaid(Refusal):
    """The batch has been paid already."""

    code = "payout-paid"
    rule = "R-ACCT-06"
    zh = "该批次已支付"
    en = "This batch has been paid already"


class NotWithholdable(Refusal):
    """The payee gets nothing by this plan, was paid, or is withheld already."""

    code = "not-withholdable"
    rule = "R-ACCT-04"
    zh = "该收款人在本方案中没有待发放款项，或已延缓、提存"
    en = "Nothing is to be paid to this payee by the plan, or it is withheld already"


class WithholdingSettled(Refusal):
    """The step was taken already, or comes too early."""

    code = "withholding-settled"
    rule = "R-ACCT-04"
    zh = "该延缓发放或提存事项的这一步骤已办理，或尚未经批准"
    en = "This step of the withholding was taken already, or it is not approved yet"


class WithholdingMisdated(Refusal):
    """A ground ends between its approval and today."""

    code = "withholding-misdated"
    rule = "R-ACCT-04"
    zh = "事由消失日须在 {earliest} 至今日 {today} 之间"
    en = "The ground ended between {earliest} and today, {today}"
