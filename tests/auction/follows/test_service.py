"""Following a lot: one's own list, once each, bounded, and never a draft."""

import asyncio

import pytest

from auction.catalogue import service as catalogue
from auction.follows import service
from auction.follows.errors import TooManyFollows
from kernel.actors import Role, visitor
from kernel.errors import NotFound
from tests.auction.support import make_draft, make_place, make_published_lot
from tests.support.house import actor, call, opened

pytestmark = pytest.mark.anyio


async def test_a_person_follows_lots_and_sees_them_alone(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST", 2)
    async with opened(database_url) as database:
        first, second, third = [await make_published_lot(await make_place(database)) for _ in range(3)]
        draft = await make_draft(await make_place(database))
        reader, other = actor(Role.BIDDER), actor(Role.BIDDER)
        await service.follow(database, call(reader), first)
        await service.follow(database, call(reader), second)
        assert [lot.id for lot in (await service.show_followed(database, reader)).lots] in (
            [first, second],
            [second, first],
        )
        assert (await service.show_followed(database, other)).lots == ()
        with pytest.raises(TooManyFollows):
            await service.follow(database, call(reader), third)
        with pytest.raises(NotFound):
            await service.follow(database, call(other), draft)

        await service.unfollow(database, call(reader), first)
        await service.unfollow(database, call(reader), first)
        assert [lot.id for lot in (await service.show_followed(database, reader)).lots] == [second]


async def test_followers_are_counted_once_each_and_told_in_coarse_numbers(database_url: str) -> None:
    """What everybody sees never tells that one person came or went."""
    async with opened(database_url) as database:
        lot_id = await make_published_lot(await make_place(database))

        async def watched() -> int:
            return (await catalogue.show_lot(database, visitor("test"), lot_id)).watched

        readers = [actor(Role.BIDDER) for _ in range(11)]
        for reader in readers[:9]:
            await service.follow(database, call(reader), lot_id)
            await service.follow(database, call(reader), lot_id)
        assert await watched() == 0
        await asyncio.gather(*(service.follow(database, call(reader), lot_id) for reader in readers[9:]))
        assert await watched() == 10
        for _ in range(2):
            await service.unfollow(database, call(readers[0]), lot_id)
        assert await watched() == 10
        await service.unfollow(database, call(readers[1]), lot_id)
        assert await watched() == 0
