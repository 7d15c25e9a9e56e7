"""The red team controller: a plugin per attack means."""
