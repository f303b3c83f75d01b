"""The sales of the demo: what was published of them, and what was made up to fill the gaps, said for each figure.

Amounts in fen. `made` names every figure that no publication gives; the dates of all sales are moved, so that the
demo ends on the day it runs. The lots that are live afterwards (`LIVE`) are made up entirely.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bidding:
    """How one auction ran: from `start_fen` by `increment_fen` to `price_fen` in `bids` bids of `bidders` people.

    `minutes_over` is how long after the planned end the last extension ended, about. At bid number `jump_at` somebody
    raises by a step that has to be confirmed, at `too_low_at` somebody first bids too little (both count from 0).
    """

    start_fen: int
    increment_fen: int
    deposit_fen: int
    price_fen: int
    bids: int
    bidders: int
    minutes_over: int
    jump_at: int | None = None
    too_low_at: int | None = None


@dataclass(frozen=True)
class Creditor:
    """A titled claim; the first of a sale is the enforcement applicant's. `pooled`: preferred on the asset sold.

    `sealed_days` is how long before the filing of the case the creditor had the asset sealed (查封、轮候查封).
    """

    name: str
    kind: str
    principal_fen: int
    party_kind: str = "enterprise"
    interest_fen: int = 0
    costs_fen: int = 0
    doubled_fen: int = 0
    rank_on: str | None = None
    sealed_days: int | None = None
    pooled: bool = False

    @property
    def total_fen(self) -> int:
        return self.principal_fen + self.interest_fen + self.costs_fen + self.doubled_fen


@dataclass(frozen=True)
class Cost:
    """A cost paid before the creditors; `kind` as in the case's list of costs."""

    kind: str
    name: str
    amount_fen: int
    payee: str


@dataclass(frozen=True)
class Dispute:
    """An objection to the plan that goes to court (W-17): `objector` says that the claim of `against` is only
    `should_be_fen` of principal, a court finds `judged_fen`; both count creditors from 0."""

    objector: int
    against: int
    should_be_fen: int
    judged_fen: int


@dataclass(frozen=True)
class Sale:
    """One case with one asset, its auction, and its resale after a default if there was one.

    `case_no` follows the year. `suspended`: the judge stops the lot for a few minutes on its first day. `followed_by`:
    parties (`debtor`, `c1`) who read their case on the web. `on_paper`: its papers are written.
    """

    key: str
    court: str
    case_no: str
    short: str
    title: str
    description: str
    kind: str
    place: str
    debtor: str
    debtor_kind: str
    reference_fen: int
    reference_method: str
    first: Bidding
    creditors: tuple[Creditor, ...]
    costs: tuple[Cost, ...] = ()
    made: str = ""
    published: str = ""
    resale: Bidding | None = None
    set_fee_fen: int | None = None
    fee_reason: str = "按规定比例计算，无需调整"
    suspended: bool = False
    dispute: Dispute | None = None
    followed_by: tuple[str, ...] = ()
    on_paper: bool = False
    details: tuple[tuple[str, str], ...] = ()


BMW = Sale(
    key="bmw",
    court="杭州市西湖区人民法院",
    case_no="浙0106执1730号",
    short="宝马730",
    title="宝马730Li小型轿车一辆",
    description="黑色宝马730Li，2016年注册，行驶约8.6万公里，现状拍卖，钥匙一把，行驶证在案。",
    kind="movable",
    place="浙江省杭州市西湖区",
    debtor="陈建国",
    debtor_kind="person",
    reference_fen=28_500_000,
    reference_method="network_enquiry",
    first=Bidding(19_990_000, 100_000, 2_000_000, 33_090_000, bids=76, bidders=53, minutes_over=12, jump_at=44),
    creditors=(
        Creditor("杭州某小额贷款有限公司", "ordinary", 26_000_000, interest_fen=1_850_000, costs_fen=430_000),
        Creditor("周敏", "ordinary", 8_000_000, "person", doubled_fen=210_000),
    ),
    costs=(Cost("sale_cost", "拍卖辅助费（拖车、保管、照片）", 150_000, "杭州某拍卖辅助服务有限公司"),),
    published="起拍价 199,900.00、成交价 330,900.00、竞买人 53 人、溢价率 65.53%",
    made="参考价、增价幅度、保证金、出价次数、当事人、债权与费用、方案异议及诉讼",
    dispute=Dispute(objector=0, against=1, should_be_fen=4_000_000, judged_fen=6_000_000),
    followed_by=("debtor", "c1"),
    on_paper=True,
    details=(
        ("occupation", "扣押于法院指定停车场"),
        ("defects", "左后门有划痕；违章两次由买受人处理"),
        ("taxes", "各自承担"),
    ),
)

OUTLANDER = Sale(
    key="outlander",
    court="淮南市田家庵区人民法院",
    case_no="皖0403执882号",
    short="欧蓝德",
    title="三菱欧蓝德越野车一辆",
    description="白色三菱欧蓝德2.4L，2014年注册，行驶约11万公里，现状拍卖。",
    kind="movable",
    place="安徽省淮南市田家庵区",
    debtor="王海",
    debtor_kind="person",
    reference_fen=7_000_000,
    reference_method="network_enquiry",
    first=Bidding(5_000_000, 50_000, 500_000, 6_700_000, bids=15, bidders=5, minutes_over=4),
    creditors=(
        Creditor("刘芳", "ordinary", 5_000_000, "person", interest_fen=320_000, costs_fen=110_000, doubled_fen=96_000),
    ),
    costs=(Cost("sale_cost", "停车保管费", 80_000, "淮南某停车服务有限公司"),),
    published="起拍价 50,000.00、成交价 67,000.00、出价 15 次、溢价率 34.00%",
    made="参考价、增价幅度、保证金、竞买人数、当事人、债权与费用",
    details=(("occupation", "扣押于法院院内"), ("defects", "空调不制冷"), ("taxes", "各自承担")),
)

HANGZHOU = Sale(
    key="hangzhou",
    court="杭州市拱墅区人民法院",
    case_no="浙0105执2046号",
    short="杭州住宅",
    title="杭州市拱墅区某小区38.5平方米住宅一套",
    description="六层砖混结构第四层，一室一厅，建筑面积38.5平方米，空置，可看样。",
    kind="immovable",
    place="浙江省杭州市拱墅区",
    debtor="沈国强",
    debtor_kind="person",
    reference_fen=39_800_000,
    reference_method="appraisal",
    first=Bidding(28_000_000, 200_000, 4_000_000, 35_600_000, bids=33, bidders=7, minutes_over=20, too_low_at=20),
    creditors=(
        Creditor("某银行杭州分行", "secured", 19_000_000, interest_fen=1_240_000, rank_on="2019-05-20", pooled=True),
        Creditor("徐丽华", "ordinary", 12_000_000, "person", costs_fen=260_000),
        Creditor("张伟", "ordinary", 9_000_000, "person"),
    ),
    costs=(
        Cost("sale_taxes", "被执行人应缴税款", 356_000, "国家税务总局杭州市拱墅区税务局"),
        Cost("sale_cost", "评估费", 120_000, "浙江某房地产估价有限公司"),
    ),
    published="起拍价 280,000.00、保证金 40,000.00、出价 33 次、成交价 356,000.00、溢价率 27.14%、"
    "计划 10:00 结束，延时约 20 分钟",
    made="参考价、增价幅度、竞买人数、当事人、债权与费用",
    followed_by=("debtor", "c1"),
    on_paper=True,
    details=(
        ("occupation", "空置"),
        ("defects", "无电梯；欠物业费约3,200元"),
        ("taxes", "各自承担"),
        ("purchase_limit", "不限购"),
    ),
)

CHANGLE = Sale(
    key="changle",
    court="昌乐县人民法院",
    case_no="鲁0725执515号",
    short="昌乐商铺",
    title="昌乐县某沿街商铺",
    description="两层沿街商铺，建筑面积182平方米，带租约至2027年3月。",
    kind="immovable",
    place="山东省潍坊市昌乐县",
    debtor="孙志刚",
    debtor_kind="person",
    reference_fen=160_000_000,
    reference_method="appraisal",
    first=Bidding(112_000_000, 800_000, 10_000_000, 155_200_000, bids=26, bidders=5, minutes_over=8),
    resale=Bidding(112_000_000, 400_000, 10_000_000, 120_400_000, bids=13, bidders=4, minutes_over=5),
    creditors=(
        Creditor(
            "昌乐某农村商业银行", "secured", 80_000_000, interest_fen=6_400_000, rank_on="2020-11-02", pooled=True
        ),
        Creditor("高翔", "ordinary", 60_000_000, "person", interest_fen=2_100_000, doubled_fen=700_000),
    ),
    costs=(Cost("sale_taxes", "被执行人应缴税款", 5_733_300, "国家税务总局昌乐县税务局"),),
    published="首次成交价 1,552,000.00、悔拍、保证金 100,000.00、重新拍卖成交价 1,204,000.00、差额未覆盖 248,000.00",
    made="起拍价、参考价、增价幅度、出价次数、竞买人数、当事人、债权与费用",
    details=(("occupation", "有租约至2027年3月"), ("defects", "二层局部渗水"), ("taxes", "各自承担")),
)

DAILY = Sale(
    key="w20a",
    court="北京市朝阳区人民法院",
    case_no="京0105执3300号",
    short="北京写字楼",
    title="某写字楼整层（1,860平方米）",
    description="甲级写字楼第十二层整层，现状空置，精装修。",
    kind="immovable",
    place="北京市朝阳区",
    debtor="赵某",
    debtor_kind="person",
    reference_fen=5_000_000_000,
    reference_method="appraisal",
    first=Bidding(3_600_000_000, 20_000_000, 200_000_000, 4_020_000_000, bids=12, bidders=4, minutes_over=6),
    resale=Bidding(3_600_000_000, 20_000_000, 200_000_000, 4_500_000_000, bids=24, bidders=4, minutes_over=7),
    creditors=(Creditor("某资产管理公司", "ordinary", 3_257_202_500),),
    costs=(
        Cost("sale_taxes", "被执行人应缴税款", 1_017_826_623, "国家税务总局北京市朝阳区税务局"),
        Cost("sale_cost", "网络司法拍卖辅助费", 3_000_000, "北京某拍卖辅助服务有限公司"),
    ),
    set_fee_fen=9_997_200,
    fee_reason="按元收取，角分不计",
    published="首次成交价 40,200,000.00、保证金 2,000,000.00、悔拍、重新拍卖成交价 45,000,000.00、税费 10,178,266.23、"
    "辅助费 30,000.00、执行申请费 99,972.00、发放申请执行人 32,572,025.00",
    made="起拍价、参考价、增价幅度、出价次数、竞买人数、标的物描述",
    details=(("occupation", "空置"), ("defects", "无"), ("taxes", "各自承担")),
)

ZHANGZHOU = Sale(
    key="zhangzhou",
    court="漳州市芗城区人民法院",
    case_no="闽0602执1208号",
    short="漳州公寓",
    title="漳州市某学生公寓整体（含土地使用权）",
    description="学生公寓六栋，建筑面积约六万三千平方米，在营，租约随房。",
    kind="immovable",
    place="福建省漳州市芗城区",
    debtor="漳州某置业有限公司",
    debtor_kind="enterprise",
    reference_fen=28_000_000_000,
    reference_method="appraisal",
    first=Bidding(19_800_000_000, 60_000_000, 1_000_000_000, 20_160_000_000, bids=6, bidders=3, minutes_over=4),
    creditors=(
        Creditor(
            "某银行漳州分行", "secured", 9_000_000_000, interest_fen=640_000_000, rank_on="2018-06-15", pooled=True
        ),
        Creditor("福建某建设工程有限公司", "construction_price", 2_600_000_000, pooled=True),
        Creditor("厦门某信托公司", "ordinary", 4_200_000_000, sealed_days=520),
        Creditor("漳州某商贸公司", "ordinary", 3_100_000_000, sealed_days=430),
        Creditor("林志明", "ordinary", 900_000_000, "person", sealed_days=180),
    ),
    costs=(
        Cost("sale_taxes", "被执行人应缴税款", 1_108_800_000, "国家税务总局漳州市芗城区税务局"),
        Cost("sale_cost", "评估费", 28_000_000, "福建某房地产估价有限公司"),
    ),
    suspended=True,
    published="学生公寓整体拍卖，成交价两亿元余，被执行人为企业法人，多个债权人先后查封",
    made="除上述外的全部数字与当事人",
    details=(("occupation", "在营，租约随房"), ("defects", "两栋消防验收资料不全，已如实披露"), ("taxes", "各自承担")),
)

SALES = (BMW, OUTLANDER, HANGZHOU, CHANGLE, DAILY, ZHANGZHOU)


PUDONG = "上海市浦东新区人民法院"


def _live(
    case_no: str, title: str, kind: str, reference_fen: int, bidding: Bidding, *, description: str, **details: str
) -> Sale:
    """A lot that is live afterwards: `price_fen` is where its scripted bidders stop, `bids` how many come before."""
    return Sale(
        key="pudong",
        court=PUDONG,
        case_no=case_no,
        short=title,
        title=title,
        description=description,
        kind=kind,
        place="上海市浦东新区",
        debtor="钱某",
        debtor_kind="person",
        reference_fen=reference_fen,
        reference_method="network_enquiry" if kind == "movable" else "appraisal",
        first=bidding,
        creditors=(Creditor("上海某银行浦东支行", "ordinary", reference_fen // 2),),
        details=tuple(details.items()),
    )


LIVE = (
    _live(
        "沪0115执6101号",
        "特斯拉Model 3轿车一辆",
        "movable",
        11_800_000,
        Bidding(8_400_000, 50_000, 840_000, 15_500_000, bids=14, bidders=3, minutes_over=0),
        description="白色，2021年注册，行驶约4.2万公里，电池健康度91%，钥匙卡两张。",
        occupation="存放于法院指定车库",
        defects="右前保险杠有修补",
        taxes="各自承担",
        viewing="工作日 9:00 至 16:00 电话预约",
    ),
    _live(
        "沪0115执6102号",
        "浦东新区某小区89平方米住宅一套",
        "immovable",
        620_000_000,
        Bidding(434_000_000, 2_000_000, 43_000_000, 790_000_000, bids=11, bidders=3, minutes_over=0),
        description="二室二厅一卫，第十一层，2008年建成，朝南，毛坯，已腾退。",
        occupation="空置，已腾退",
        vacated="已腾空，成交后随裁定交付钥匙",
        defects="欠物业费约6,800元，由买受人承担",
        taxes="各自承担",
        purchase_limit="限购，竞买人须具备本市购房资格",
        viewing="看样日：竞价开始前第三日 14:00",
    ),
    _live(
        "沪0115执6103号",
        "上海某智能科技有限公司12%股权",
        "other_right",
        96_000_000,
        Bidding(67_200_000, 500_000, 6_700_000, 120_000_000, bids=6, bidders=3, minutes_over=0),
        description="注册资本2,000万元，已实缴；公司正常经营，其他股东优先购买权已书面通知。",
        occupation="不适用",
        priority="有优先购买权人：公司其他股东，已书面通知",
        defects="公司有一笔未决诉讼，已如实披露",
        taxes="各自承担",
    ),
    _live(
        "沪0115执6104号",
        "张江某沿街商铺（带租约）",
        "immovable",
        285_000_000,
        Bidding(199_500_000, 1_000_000, 20_000_000, 350_000_000, bids=8, bidders=3, minutes_over=0),
        description="单层商铺，建筑面积76平方米，租约至明年六月，月租金1.9万元。",
        occupation="有租约，租赁关系随房",
        defects="无",
        taxes="各自承担",
    ),
    _live(
        "沪0115执6105号",
        "翡翠手镯与18K金腕表一组",
        "movable",
        7_600_000,
        Bidding(5_320_000, 20_000, 530_000, 9_800_000, bids=0, bidders=3, minutes_over=0),
        description="翡翠手镯一只附鉴定证书；18K金机械腕表一块，走时正常，无表盒。",
        occupation="存放于法院保险柜",
        defects="腕表表带磨损",
        taxes="各自承担",
    ),
)
"""The last of them opens a little later."""
