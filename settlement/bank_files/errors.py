"""Refusals of bank files."""

from kernel.errors import Refusal


class UnusableFile(Refusal):
    """The file is no message that we read, or says something that cannot be booked; nothing of it was taken.

    What the schema says, and codes, stand in both sentences as they are.
    """

    code = "unusable-file"
    status = 422
    zh = "银行文件无法使用：{where}，要求：{expected_zh}"
    en = "The bank file cannot be used: {where}: expected {expected}"

    def __init__(self, where: str, expected: str, expected_zh: str | None = None) -> None:
        super().__init__(where=where, expected=expected, expected_zh=expected_zh or expected)


class MessageReused(Refusal):
    """A message id came back with other content: the first file stands."""

    code = "message-reused"
    status = 422
    zh = "报文编号 {message_id} 已登记，且内容不同"
    en = "Message {message_id} was taken already, with other content"


class NoBankFiles(Refusal):
    """This platform exchanges no files with a bank."""

    code = "no-bank-files"
    status = 404
    zh = "本平台未配置银行文件往来账户"
    en = "This platform has no bank account whose files it exchanges"
