"""Choices for the controllers only: none of the defaults needs a change."""
