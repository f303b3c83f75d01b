"""Tables of the context `auction`."""

import sqlalchemy as sa
from alembic import op

from kernel import ddl

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
