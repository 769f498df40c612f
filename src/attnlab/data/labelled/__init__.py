"""Texts with a class each, and their batches."""
