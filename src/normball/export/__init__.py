"""Fitted models as programs in other languages."""
