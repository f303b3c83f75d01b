"""The way of a plan where no table of a whole case reaches it."""

from datetime import date

import pytest

from settlement.distribution.errors import AcceptanceMisdated
from settlement.distribution.procedure import require_accepted

TODAY = date(2025, 3, 3)


def test_a_bankruptcy_is_recorded_once_it_was_accepted() -> None:
    require_accepted(TODAY, TODAY)
    require_accepted(date(2025, 3, 2), TODAY)
    with pytest.raises(AcceptanceMisdated) as caught:
        require_accepted(date(2025, 3, 4), TODAY)
    assert caught.value.facts == {"today": "2025-03-03"}
