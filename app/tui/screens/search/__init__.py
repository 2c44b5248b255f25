"""The search screen: a query line, rows that explain themselves, and a pane beside them."""
