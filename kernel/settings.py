"""Settings: read once at start from the environment, checked at once, printed without secrets.

A misspelt `AUCTION_…` variable stops the start, since a setting silently ignored is a fault found too late.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

SECRET = frozenset({"database_url", "redis_url", "desk_secret"})
OWN_NAMES = {"DATABASE_URL": "database_url", "REDIS_URL": "redis_url"}


class SettingsError(Exception):
    """The environment asks for something that cannot be."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings, each with the unit in its name. Without any the platform runs embedded."""

    data_dir: str = ".data"
    """Folder of the embedded data; with `DATABASE_URL` that of the keys and anchors, where none are named."""
    database_url: str | None = None
    redis_url: str | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8000
    role: Literal["all", "web", "desk"] = "all"
    """What `auction serve` is: everything, a web process that forwards bids, or a desk that stands by."""
    desk_secret: Annotated[str, msgspec.Meta(min_length=32, max_length=200, pattern=r"^[!-~]+\Z")] | None = None
    """What web processes show to desks; all processes of an installation share it."""
    desk_host: str = "127.0.0.1"
    """Where a desk takes what web processes forward."""
    desk_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    """0: any free port."""
    desk_address: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z.:_\[\]-]+:[0-9]{1,5}\Z")] | None = None
    """How web processes reach the desk, if not by that host and port: it stands in the lease."""
    proxies: str = ""
    """Addresses of our own reverse proxies, joined by commas: their X-Forwarded-For is believed."""
    share_port: bool = False
    """Several web processes listen on the same port, and the kernel spreads connections over them (Linux)."""
    public_origin: str | None = None
    """The origin browsers use; by default that of `host` and `port`."""
    postgres_bin: str | None = None
    """The `bin` folder of another PostgreSQL 18 for the embedded data; by default that of the wheel."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    session_hours: Annotated[int, msgspec.Meta(ge=1, le=72)] = 12
    """How long a login session lasts from its sign-in."""
    password_memory_kib: Annotated[int, msgspec.Meta(ge=19_456, le=1_048_576)] = 65_536
    """Memory that argon2id takes for each password it hashes or checks."""
    sign_ups_per_minute: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 60
    """Registrations per address, in each process."""
    sign_ins_per_minute: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 60
    """Tries to sign in per address, in each process."""
    hole_seconds: Annotated[int, msgspec.Meta(ge=1, le=60)] = 5
    """How long nobody may decide bids in the closing minutes before a lot is frozen (R-HALT-02)."""
    desk_queue: Annotated[int, msgspec.Meta(ge=16, le=1_000_000)] = 20_000
    """Bids that may wait at once, at a desk or in a web process for the desks; one more is answered `busy`."""
    bids_per_minute: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 100
    """Messages per person (of who is not signed in: per socket), in each process, over socket and HTTP together."""
    sockets_per_person: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 20
    """Live sockets per signed-in person, open at once in each process."""
    sockets_per_address: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 2_000
    """Live sockets per address, open at once in each process."""
    signing_keys: str | None = None
    """File of the keys that sign bids (`auction keys new`), one for all processes; by default in the data folder."""
    anchor_dir: str | None = None
    """Folder of the log's anchors, out of the database administrator's reach; by default in the data folder."""
    rehearsal: bool = False
    """Time moved by hand on data kept apart (`app/rehearsal.py`); embedded only."""
    demo: bool = False
    """Made-up cases on scaled time; set by `auction demo` alone."""
    simulated_bank: bool = True
    """The bank of the embedded default, tests and demo; switched off where real bank files are exchanged."""
    bank_account: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z]{1,34}\Z")] | None = None
    """Number of our account at the bank whose files are exchanged (ISO 20022); none: no files."""
    bank_account_holder: Annotated[str, msgspec.Meta(min_length=1, max_length=140)] | None = None
    bank_name: Annotated[str, msgspec.Meta(min_length=1, max_length=140)] | None = None
    claim_days: Annotated[int, msgspec.Meta(ge=1, le=60)] = 3
    """Working days in which unidentified money should be matched or returned (R-ACCT-02)."""

    @property
    def mode(self) -> Literal["real", "rehearsal", "demo"]:
        """Whether what happens here counts; the pages say so where it does not."""
        return "demo" if self.demo else "rehearsal" if self.rehearsal else "real"

    @property
    def embedded(self) -> bool:
        return self.database_url is None

    @property
    def trusted_proxies(self) -> frozenset[str]:
        return frozenset(filter(None, (address.strip() for address in self.proxies.split(","))))

    @property
    def data_path(self) -> Path:
        return Path(self.data_dir).absolute()

    @property
    def keyring_path(self) -> Path:
        """The file of the signing keys: the one that was named, else one that is made in the data folder."""
        return Path(self.signing_keys or self.data_path / "signing-keys.json").absolute()

    @property
    def anchor_path(self) -> Path:
        """The folder of the anchors."""
        return Path(self.anchor_dir or self.data_path / "anchors").absolute()

    @property
    def origin(self) -> str:
        """Scheme, host and port that a browser's Origin header must equal."""
        return self.public_origin or f"http://{self.host}:{self.port}"

    @property
    def https(self) -> bool:
        return self.origin.startswith("https://")

    def __repr__(self) -> str:
        shown = {
            name: "***" if name in SECRET and value else value for name, value in msgspec.structs.asdict(self).items()
        }
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def load(environment: Mapping[str, str] = os.environ, **overrides: object) -> Settings:
    """Settings from `AUCTION_*`, `DATABASE_URL` and `REDIS_URL`; `overrides` (command line) win."""
    raw: dict[str, object] = {}
    for name, value in environment.items():
        if name in OWN_NAMES:
            raw[OWN_NAMES[name]] = value
        elif name.startswith("AUCTION_"):
            raw[name.removeprefix("AUCTION_").lower()] = value
    raw.update({name: value for name, value in overrides.items() if value is not None})
    try:
        settings = msgspec.convert(raw, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"settings (AUCTION_*): {error}") from None
    if settings.database_url is not None and not settings.database_url.startswith("postgresql://"):
        raise SettingsError("DATABASE_URL: it should begin with postgresql://")
    if settings.demo:
        raise SettingsError("AUCTION_DEMO: `auction demo` alone plays a demo")
    if settings.bank_account is not None:
        if settings.simulated_bank:
            raise SettingsError("AUCTION_BANK_ACCOUNT: files go to a real bank; set AUCTION_SIMULATED_BANK=false")
        if settings.bank_account_holder is None or settings.bank_name is None:
            raise SettingsError("AUCTION_BANK_ACCOUNT needs AUCTION_BANK_ACCOUNT_HOLDER and AUCTION_BANK_NAME")
    if settings.role != "all" and (settings.embedded or settings.desk_secret is None):
        raise SettingsError(f"AUCTION_ROLE={settings.role} needs DATABASE_URL and AUCTION_DESK_SECRET")
    if settings.rehearsal and not settings.embedded:
        raise SettingsError("a rehearsal keeps embedded data of its own: unset DATABASE_URL")
    return settings
