"""What migrations say beside tables: append-only triggers and the rights of the application's role.

The application connects as `auction_app`, which owns nothing: it may not change or delete rows of append-only
tables even if a trigger were dropped.
"""

from collections.abc import Iterable

APP_ROLE = "auction_app"

REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION kernel.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

CREATE_ROLE = f"""
DO $$ BEGIN
    CREATE ROLE {APP_ROLE} LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""

PROTECTED = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only' ORDER BY 1"
"""The tables that carry the trigger, as `schema.table`."""


def protect(table: str) -> str:
    """The trigger that makes `schema.table` refuse UPDATE, DELETE and TRUNCATE."""
    return (
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION kernel.refuse_change()"
    )


def grants(schemas: Iterable[str], append_only: Iterable[str]) -> list[str]:
    """The application's rights after all migrations, one statement each."""
    statements = []
    for schema in schemas:
        statements += [
            f"GRANT USAGE ON SCHEMA {schema} TO {APP_ROLE}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {APP_ROLE}",
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {APP_ROLE}",
        ]
    statements += [f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {APP_ROLE}" for table in append_only]
    return statements
