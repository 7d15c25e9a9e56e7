"""How a strategy did: the policy execution validator."""
