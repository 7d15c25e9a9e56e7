"""Learning: corpus, fine-tuning, SA-GRPO, its rivals, evaluation, and the life of weights."""
