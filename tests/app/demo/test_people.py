"""The demo's people are made up, but their numbers are well formed and all different."""

from app.demo.people import person
from kernel.identity.rules import check_id_number, check_username


def test_people_are_different_and_well_formed() -> None:
    people = [person(f"p.{number}", number) for number in range(1, 400)]
    for each in people:
        assert check_id_number(each.id_number) == each.id_number
        assert check_username(each.username) == each.username
        assert not each.account_no.startswith("0000"), "the simulated bank rejects such accounts"
    assert len({each.id_number for each in people}) == len(people)
    assert len({each.account_no for each in people}) == len(people)
