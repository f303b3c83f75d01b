"""Tables of the context `settlement`."""

import sqlalchemy as sa
from alembic import op

from kernel import ddl

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
