"""Widgets that more than one screen uses; none of them knows its screen."""
