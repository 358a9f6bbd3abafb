"""Rows that come in blocks: data beyond memory, or beyond one machine."""
