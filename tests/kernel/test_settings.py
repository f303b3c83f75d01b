"""Settings: what the operator's table says and what the program reads are the same."""

import re
from pathlib import Path

import pytest

from kernel.settings import OWN_NAMES, Settings, SettingsError, load

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
BY_ITS_COMMAND_ALONE = {"demo"}
"""No setting of the environment: `load` refuses it."""


def _names() -> set[str]:
    own = {field: name for name, field in OWN_NAMES.items()}
    fields = set(Settings.__struct_fields__) - BY_ITS_COMMAND_ALONE
    return {own.get(field, f"AUCTION_{field.upper()}") for field in fields}


def test_the_table_names_every_setting_and_no_other() -> None:
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \|", OPERATIONS.read_text(), re.MULTILINE)
    assert set(re.findall(r"`([A-Z_]+)`", "".join(rows))) == _names()


@pytest.mark.parametrize("variable", ["AUCTION_DATA_DIRR", "AUCTION_PORT"])
def test_what_cannot_be_is_refused_in_one_line(variable: str) -> None:
    with pytest.raises(SettingsError, match=r"^settings .*[^\n]+$"):
        load({variable: "70000"})


@pytest.mark.parametrize("url", ["", "postgres://court@db/auction", "mysql://court@db/auction"])
def test_an_address_of_no_postgresql_is_refused_by_its_name(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: .* postgresql://$"):
        load({"DATABASE_URL": url})
