"""Whether attention explains what a model says: measures of faithfulness, each from a paper, for any task."""
