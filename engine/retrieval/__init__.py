"""Search: the query language, the two legs, fusion, tiers, diversity, explanation, and "why not"."""
