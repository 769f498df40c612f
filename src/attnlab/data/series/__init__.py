"""Series in time order, and windows of them: a past, and what came after it."""
