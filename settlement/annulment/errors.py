"""Refusals of an annulment."""

from kernel.errors import Refusal


class ProceedsDistributed(Refusal):
    """A confirmed plan has given the price to creditors; who was paid is asked back by another procedure."""

    code = "proceeds-distributed"
    rule = "R-HALT-04"
    zh = "成交价款已列入第 {version} 版生效分配方案，撤销须先经执行回转追回款项，不能在此直接撤销"
    en = "Version {version} of the plan, which may be paid, gives the price away; it must first be recovered (执行回转)"


class GroundPassed(Refusal):
    """A refused approval ends a sale before its ruling; after it there is nothing to approve."""

    code = "ground-passed"
    rule = "R-CLOSE-14"
    zh = "成交裁定已作出，不能再以未获批准为由撤销"
    en = "The ruling was made, so a refused approval is no ground any more"
