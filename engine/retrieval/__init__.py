"""Search, from the text of a query to explained rows.

A *leg* is one of the two ways in which candidates are retrieved: the vector leg by meaning (`vector_leg`, with the
vectors of `vector_index` or `quantized_index`), the keyword leg by words (`keyword_leg`, FTS5's bm25).

`search_pipeline` runs a search. `query` and `fts_query` understand what was typed; `candidate_retrieval` runs both legs
and joins what they bring; `fusion` gives one order (convex combination, pseudo-relevance feedback, what marks add, MMR)
and `tie_break` the order of equal scores; `tiers` judges; `near_duplicates` groups; `hits` reads the rows. How a mark
changes a score stands in `query_memory`.

Searches share caches: the postings, the vectors, the past queries, the model. Each answer is kept under the version of
the library that it was read from (`versions`), so that no search is given what another snapshot holds.
"""
