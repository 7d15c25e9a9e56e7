"""Learning: corpus, SFT, SA-GRPO, baselines, evaluation. Empty until the policy that learns is built."""
