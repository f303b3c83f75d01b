"""What migrations say beside tables: append-only triggers and the rights of the application's role.

The application connects as `auction_app`, which owns nothing: it may not change or delete rows of append-only
tables even if a trigger were dropped.
"""

from collections.abc import Iterable, Mapping

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


def refer_together(table: str, references: Mapping[str, str]) -> list[str]:
    """Hold the foreign keys of an append-only table once a statement instead of once a row: column -> table of its id.

    For tables that get thousands of rows at once, where a look by trigger for each row and key was dearer than the row.
    It is as strict where the rows referred to stay for good: they are append-only, or `keep` holds them. The constraint
    stays declared. The settings make each look one by index, whatever was believed of the tables when it was planned.
    """
    schema, name = table.split(".")
    unknown = " OR ".join(
        f"EXISTS (SELECT FROM added a WHERE a.{column} IS NOT NULL"  # noqa: S608 - names are ours
        f" AND NOT EXISTS (SELECT FROM {target} t WHERE t.id = a.{column}))"
        for column, target in references.items()
    )
    function = f"{schema}.{name}_refers"
    checked = f"""
        CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql
        SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
        BEGIN
            IF {unknown} THEN
                RAISE EXCEPTION '{table} refers to a row that is not there' USING ERRCODE = 'foreign_key_violation';
            END IF;
            RETURN NULL;
        END $$
    """
    trigger = (
        f"CREATE TRIGGER refers AFTER INSERT ON {table} REFERENCING NEW TABLE AS added"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )
    let_go = [f"ALTER TABLE {table} ALTER CONSTRAINT fk_{name}_{column} NOT ENFORCED" for column in references]
    return [*let_go, checked, trigger]


def keep(table: str) -> str:
    """The trigger by which rows of `schema.table` stay, under the id that they have, though other columns change."""
    return (
        f"CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE OR UPDATE OF id ON {table}"
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
