"""My task: whether a review praises; the last word of judgement in it decides."""
