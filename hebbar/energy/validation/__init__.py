"""What the estimates are worth: published figures, laws that predict them, and how far off they are."""
