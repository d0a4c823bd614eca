"""What Alembic runs: the steps, in the transaction of the connection that it was handed."""

from alembic import context

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    version_table=attributes["version_table"],
    render_as_batch=True,
)
context.run_migrations()
