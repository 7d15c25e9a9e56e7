"""The loop: decide, plan, commit, verify, expire."""
