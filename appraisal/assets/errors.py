"""Refusals of seizures and holds."""

from kernel.errors import Refusal


class MeasureUnfit(Refusal):
    """Immovables are sealed, movables sealed or seized, other rights frozen."""

    code = "measure-unfit"
    rule = "R-SEAL-01"
    zh = "{kind_zh}不适用{measure_zh}措施"
    en = "The measure {measure} does not fit an asset of kind {kind}"


class SeizureTooLong(Refusal):
    """A seizure, or its renewal, lasts longer than the law allows for the kind of asset."""

    code = "seizure-too-long"
    rule = "R-SEAL-01"
    zh = "该财产的查封、扣押、冻结期限最长至 {longest_until}"
    en = "A seizure of this asset may last until {longest_until} at most"


class SeizureBackwards(Refusal):
    """A period that ends before it begins, or a renewal that ends no later than what it renews."""

    code = "seizure-backwards"
    status = 400
    zh = "期限届满日须晚于 {from_on}"
    en = "The last day must be later than {from_on}"


class RankTaken(Refusal):
    """Another seizure of the asset has this rank."""

    code = "rank-taken"
    rule = "R-SEAL-03"
    zh = "顺位 {rank} 已登记"
    en = "Rank {rank} is registered already"


class RankOutOfOrder(Refusal):
    """Seizures rank by their dates: a later one cannot stand before an earlier one."""

    code = "rank-out-of-order"
    rule = "R-SEAL-02"
    zh = "顺位 {rank} 与查封日期 {from_on} 的先后不符"
    en = "Rank {rank} does not agree with the order of dates ({from_on})"


class AlreadySeized(Refusal):
    """While one seizure has effect, every other one waits (轮候)."""

    code = "already-seized"
    rule = "R-SEAL-03"
    zh = "顺位 {rank} 的查封在先且有效，顺位 {later_rank} 的只能登记为轮候查封"
    en = "The seizure of rank {rank} has effect; that of rank {later_rank} can only be a waiting one"


class SeizureLapsed(Refusal):
    """What was not renewed in time has lost its effect and rank; only a new seizure helps."""

    code = "seizure-lapsed"
    rule = "R-SEAL-02"
    zh = "查封已于 {to_on} 届满失效，不能续封，须重新查封"
    en = "The seizure ended on {to_on} and cannot be renewed; a new one is needed"


class SeizureEnded(Refusal):
    """The asset was sold: the seizures on it ended with that."""

    code = "seizure-ended"
    rule = "R-SEAL-04"
    zh = "该财产已于 {ended_on} 处置，查封效力消灭"
    en = "The asset was disposed of on {ended_on}; seizures on it have ended"


class AssetDisposed(Refusal):
    """Title passed to a buyer or taker: the asset can be neither seized nor disposed of again."""

    code = "asset-disposed"
    rule = "R-SEAL-04"
    zh = "该财产已于 {passed_on} 处置完毕，所有权已经转移，不能再次查封或者处置"
    en = "Title to the asset passed on {passed_on}: it can be neither seized nor disposed of again"


class AssetTaken(Refusal):
    """A creditor takes the asset in satisfaction; only when the difference is not paid may it be sold again."""

    code = "asset-taken"
    rule = "R-FAIL-03"
    zh = "该财产已裁定交债权人抵债，差额逾期未补交、抵债失效后方可再行拍卖（R-FAIL-04）"
    en = "A creditor takes the asset in satisfaction; only if they do not pay may it be sold (R-FAIL-04)"


class HoldLiftedBefore(Refusal):
    """A hold ends exactly once."""

    code = "hold-lifted-before"
    rule = "R-CASE-09"
    zh = "该财产的停止处分已于 {lifted_at} 解除"
    en = "This hold was lifted at {lifted_at}"
