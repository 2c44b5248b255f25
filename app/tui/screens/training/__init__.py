"""The training screen: what to learn from, a run while it works, its verdict, and the runs before it."""
