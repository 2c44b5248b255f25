"""One room a screen: its widgets, its words and its style sheet side by side."""
