"""Use cases of follows: follow, unfollow, list one's own."""

from uuid import UUID

from auction.catalogue import service as catalogue
from auction.follows import store
from auction.follows.errors import TooManyFollows
from auction.follows.schemas import Followed, Following
from auction.lots import service as lots
from kernel.actors import Actor
from kernel.clock import beijing
from kernel.database import Call, Database

MOST = 200


async def follow(database: Database, call: Call, lot_id: UUID) -> Following:
    """Follow a published lot; following twice changes nothing. Refuses the 201st."""
    async with database.command(call) as tx:
        await lots.get_published(tx, lot_id)
        if await store.count(tx, tx.actor.person) >= MOST:
            raise TooManyFollows(most=MOST)
        if await store.add(tx, tx.actor.person, lot_id, tx.now()):
            await lots.count_follower(tx, lot_id, 1)
        return tx.answer(Following(lot_id, following=True))


async def unfollow(database: Database, call: Call, lot_id: UUID) -> Following:
    """Follow it no longer."""
    async with database.command(call) as tx:
        await lots.get_published(tx, lot_id)
        if await store.remove(tx, tx.actor.person, lot_id):
            await lots.count_follower(tx, lot_id, -1)
        return tx.answer(Following(lot_id, following=False))


async def show_followed(database: Database, actor: Actor) -> Followed:
    """The lots that the person follows."""
    async with database.reading(actor) as tx:
        cards = await catalogue.cards_of(tx, await store.list_lots(tx, actor.person))
        return Followed(beijing(tx.now()), database.clock.rate, cards)
