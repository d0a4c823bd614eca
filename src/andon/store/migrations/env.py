"""What Alembic runs: the steps, in the transaction of the connection that it was handed."""

from alembic import context

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    version_table=attributes["version_table"],
    transactional_ddl=True,  # SQLite's, too, as no step commits
    render_as_batch=True,
)
context.run_migrations()
