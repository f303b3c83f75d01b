"""Tables of the context `bidding`."""

import sqlalchemy as sa
from alembic import op

from kernel import ddl

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
