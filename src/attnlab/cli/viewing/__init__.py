"""What the viewer shows, collected from runs."""
