"""Answers made once for a crowd: how often they are made, how old they get, and what becomes of failures."""

import asyncio

import pytest

from kernel.answers import Answers

pytestmark = pytest.mark.anyio


class Kitchen:
    """Makes an answer slowly and counts how often."""

    def __init__(self, takes_s: float = 0.0, fails: int = 0) -> None:
        self.made = 0
        self._takes_s = takes_s
        self._fails = fails

    async def make(self) -> int:
        self.made += 1
        await asyncio.sleep(self._takes_s)
        if self.made <= self._fails:
            raise TimeoutError
        return self.made


@pytest.mark.parametrize(("kept_s", "made"), [(0.05, 1), (-1.0, 50)])
async def test_a_crowd_that_asks_at_once_waits_for_one_answer(kept_s: float, made: int) -> None:
    """However long it takes; in the control nothing is ever kept."""
    answers, kitchen = Answers(kept_s), Kitchen(takes_s=0.1 if made == 1 else 0.0)
    told = await asyncio.gather(*(answers.get("country", kitchen.make) for _ in range(50)))
    assert (kitchen.made, set(told)) == (made, set(range(1, made + 1)))


async def test_an_answer_is_made_again_once_it_is_old() -> None:
    answers, kitchen = Answers(kept_s=0.2), Kitchen()
    assert [await answers.get("country", kitchen.make) for _ in range(2)] == [1, 1]
    await asyncio.sleep(0.25)
    assert await answers.get("country", kitchen.make) == 2


async def test_other_questions_have_other_answers_and_the_oldest_are_forgotten() -> None:
    answers, kitchen = Answers(most=2), Kitchen()
    asked = ["one", "two", "one", "three", "one", "two"]
    assert [await answers.get(question, kitchen.make) for question in asked] == [1, 2, 1, 3, 1, 4]


async def test_what_fails_is_not_kept() -> None:
    answers, kitchen = Answers(), Kitchen(fails=1)
    with pytest.raises(TimeoutError):
        await answers.get("country", kitchen.make)
    assert await answers.get("country", kitchen.make) == 2


async def test_who_leaves_takes_no_answer_from_the_others() -> None:
    answers, kitchen = Answers(), Kitchen(takes_s=0.1)
    first, second = (asyncio.create_task(answers.get("country", kitchen.make)) for _ in range(2))
    await asyncio.sleep(0.05)
    first.cancel()
    assert await second == 2
