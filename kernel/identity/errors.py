"""Refusals of identity. What is wrong with a sign-in is never said more closely than `wrong-credentials`."""

from kernel.errors import Refusal


class UsernameTaken(Refusal):
    """Somebody has this user name."""

    code = "username-taken"
    zh = "用户名已被使用"
    en = "This user name is taken"


class PersonKnown(Refusal):
    """One person, one account (实名制)."""

    code = "person-known"
    rule = "R-BID-04"
    zh = "该身份证号已注册，一人只能有一个账户"
    en = "This identity number is registered; one person has one account"


class IdentityRefused(Refusal):
    """The outside check says that name and number do not belong together."""

    code = "identity-refused"
    rule = "R-BID-04"
    zh = "姓名与身份证号核验未通过"
    en = "Name and identity number were not confirmed"


class WrongCredentials(Refusal):
    """Unknown user or wrong password: the same answer, in the same time."""

    code = "wrong-credentials"
    status = 401
    zh = "用户名或密码不正确"
    en = "User name or password is wrong"
