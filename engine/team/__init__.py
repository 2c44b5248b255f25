"""A library for several people, in PostgreSQL: its schema, its snapshots, and how a member's documents come into it."""
