"""Who took the lease, and who wrote under which epoch: noted by triggers that the platform knows nothing of.

Each desk of a fleet carries its name in its connections. A statement that writes submissions or outages notes that name
and the epoch that the lease shows to its transaction; the takeover noted whose epoch that is.
"""

import asyncpg

LAY_OUT = """
    CREATE SCHEMA campaign;
    CREATE TABLE campaign.took (share int8, epoch int8, member text);
    CREATE TABLE campaign.wrote (share int8, epoch int8, member text, what text, at timestamptz);
    CREATE FUNCTION campaign.note_taking() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        INSERT INTO campaign.took VALUES (NEW.share, NEW.epoch, current_setting('campaign.member', true));
        RETURN NULL;
    END $$;
    CREATE FUNCTION campaign.note_writing() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        INSERT INTO campaign.wrote
        SELECT share, epoch, current_setting('campaign.member', true), TG_TABLE_NAME, clock_timestamp()
        FROM bidding.desk_lease;
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_taking AFTER INSERT OR UPDATE OF epoch ON bidding.desk_lease
        FOR EACH ROW EXECUTE FUNCTION campaign.note_taking();
    CREATE TRIGGER note_writing AFTER INSERT ON bidding.submission
        FOR EACH STATEMENT EXECUTE FUNCTION campaign.note_writing();
    CREATE TRIGGER note_writing AFTER INSERT ON bidding.desk_outage
        FOR EACH STATEMENT EXECUTE FUNCTION campaign.note_writing();
"""
FOREIGN = """
    SELECT w.what, w.at, w.member, w.epoch, t.member AS holder
    FROM campaign.wrote w LEFT JOIN campaign.took t USING (share, epoch) WHERE w.member IS DISTINCT FROM t.member
"""
WRITTEN = "SELECT count(*) FROM campaign.wrote"


def signed(url: str, member: str) -> str:
    """The database's address under which a desk leaves its name."""
    return f"{url}{'&' if '?' in url else '?'}campaign.member={member}"


async def lay_out(db: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Begin to note; the lease, if there is one, is its holder's."""
    await db.execute(LAY_OUT)


async def faults(db: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """Invariant 8: whoever wrote held the lease at that very epoch."""
    if not await db.fetchval(WRITTEN):
        return ["nobody wrote anything: the notes of who wrote prove nothing"]
    return [
        f"{row['member']} wrote into {row['what']} at {row['at']} under epoch {row['epoch']} of {row['holder']}"
        for row in await db.fetch(FOREIGN)
    ]
