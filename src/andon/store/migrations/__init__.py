"""How the tables came about: one file in `versions/` is one step, run by Alembic from `store/schema.py`."""
