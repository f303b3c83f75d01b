"""The texts that courts of the demo publish: the checklist of an announcement and its documents."""

from collections.abc import Mapping
from datetime import datetime

from app.demo.sales import Bidding
from kernel.clock import beijing
from kernel.money import yuan


def checklist(
    *, court: str, title: str, details: Mapping[str, str], case_no: str, reference_fen: int, basis: str, days: int
) -> dict[str, str]:
    """Every item that the platform must show on the day of publication (R-PUB-03, R-PUB-04)."""
    defects = details.get("defects", "无")
    return {
        "announcement": f"{court}将于本平台公开拍卖{title}，具体时间、起拍价、保证金及增价幅度见本页。",
        "title": f"{case_no}执行依据：已经发生法律效力的民事判决书（当事人身份信息已隐去）。",
        "pricing": f"{basis}，参考价 {yuan(reference_fen)} 元，报告副本见附件。",
        "rules": "自由竞价不少于24小时；最后5分钟内有人出价的，竞价时间自该次出价起顺延5分钟，直至无人出价。",
        "condition": f"权属清楚，现状：{details.get('occupation', '空置')}。以交付时现状为准。",
        "priority": details.get("priority", "截至公告发布，未发现优先购买权人；有主张者请于竞价开始前向本院提出。"),
        "notices": "已于公告发布三日前书面通知当事人。",
        "payment": f"保证金转入报名后显示的专用账号，到账后自动确认；余款于成交后{days}日内转入通知的专用账号。",
        "taxes": details.get("taxes", "交易税费依法由买卖双方各自承担"),
        "contact": f"{court}执行局，联系人：承办法官，咨询电话见法院公告。",
        "capacity": "竞买人应当具备完全民事行为能力；法律、行政法规对买受人资格有特殊规定的，应当具备相应资格。",
        "agents": "委托他人代为竞买的，应当在竞价开始前向本院办理委托手续并经确认。",
        "defects": f"已知瑕疵：{defects}。权利负担：查封、抵押于成交裁定送达后依法解除。",
        "as-is": "标的物以实物现状为准，竞买人可以申请实地看样。",
        "acceptance": "竞买人决定参与竞买的，视为对标的物完全了解，并接受标的物一切已知和未知瑕疵。",
        "identity": "竞价成功后，成交确认书将载明买受人的真实身份。",
        "forfeiture": "买受人逾期未支付余款的，保证金不予退还，依次用于支付拍卖产生的费用损失、弥补差价、冲抵债务。",
    }


def announcement(court: str, title: str, opens_at: datetime, bidding: Bidding) -> bytes:
    """The announcement as a text document."""
    lines = (
        f"{court} 拍卖公告",
        "",
        f"标的：{title}",
        f"竞价开始：{beijing(opens_at)}（延时的除外）",
        f"起拍价：{yuan(bidding.start_fen)} 元",
        f"保证金：{yuan(bidding.deposit_fen)} 元",
        f"增价幅度：{yuan(bidding.increment_fen)} 元",
        "",
        "本次拍卖依照《最高人民法院关于人民法院网络司法拍卖若干问题的规定》进行。",
        "演示数据：人物、账户均为虚构。",
    )
    return "\n".join(lines).encode()


def appraisal(title: str, reference_fen: int, basis: str) -> bytes:
    """The pricing basis as a text document."""
    return f"{basis}\n\n标的：{title}\n参考价：{yuan(reference_fen)} 元\n\n演示数据。\n".encode()
