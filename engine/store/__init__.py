"""The library file: one SQLite database that holds documents, passages, words and vectors, and nobody else's SQL.

Modules: `connection` opens it, `schema` and `migrations` shape it, `writing` changes documents, `documents` reads them,
`fulltext`, `bm25` and `cjk` are its words, `vectors` and `models` its meaning, `folders`, `requests`, `changes` and
`settings` its small tables, `integrity`, `repair`, `backup` and `compaction` its care; `portion` and `returning` keep a
part of it in a file of its own. Everything goes through `apsw`, whose SQLite has FTS5 and loads sqlite-vec on every
Python build.
"""
