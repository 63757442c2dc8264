"""The section about commands from a chat."""

from dataclasses import dataclass

from kangbot.settings.kinds import SECTION, FilePath, HttpUrl, Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSettings:
    """`[telegram]`: commands from Telegram, of the listed chats only. Off without a token."""

    __pydantic_config__ = SECTION

    token: Secret | None = None
    """The bot's token, from @BotFather. It is a secret: from the environment (`KANGBOT_TELEGRAM__TOKEN`) or a file.
    Absent: see `token_file`."""

    token_file: FilePath | None = None
    """A file that holds it. Absent: `telegram_token` in systemd's credentials folder, if there is one; else off."""

    chats: tuple[int, ...] = ()
    """The ids of the chats that may command. Whoever writes in such a chat may command: a group's id admits the whole
    group. The id of a chat that is not listed stands in the log once it has written to the bot. In
    `KANGBOT_TELEGRAM__CHATS` there are commas between them. Absent: none may."""

    api_url: HttpUrl = "https://api.telegram.org"
    """Where the Bot API is. Another address only for a Bot API server of one's own."""
