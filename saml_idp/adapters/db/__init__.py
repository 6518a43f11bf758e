"""The stores on SQLite and PostgreSQL; the only home of SQLAlchemy and Alembic."""
