"""Training and export of models; the only room where torch may be imported, and only inside functions."""
