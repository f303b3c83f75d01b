"""Refusals of follows."""

from kernel.errors import Refusal


class TooManyFollows(Refusal):
    """A person follows as many lots as a list can show."""

    code = "too-many-follows"
    zh = "最多关注 {most} 件标的，请先取消一部分"
    en = "At most {most} lots can be followed; unfollow some first"
