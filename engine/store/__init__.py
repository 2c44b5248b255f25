"""The library file: one SQLite database that holds documents, passages, words and vectors, and nobody else's SQL.

Modules: `connection` opens it, `schema` and `migrations` shape it, `document_writer` changes documents and `documents`
reads them, `fulltext`, `tokenizer`, `folding` and `bm25` are its words, `vector_tables` and `models` its meaning,
`folders`, `requests`, `change_log` and `meta` its small tables, `integrity`, `repair`, `backup` and `vacuum` its care;
`archive` keeps a part of it in a file of its own. Everything goes through `apsw`, whose SQLite has FTS5 and loads
sqlite-vec on every Python build.
"""
