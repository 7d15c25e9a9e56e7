"""Strategies tried before they are used, on a twin made of what the defender knows.

Nothing of a case is looked at but its request: alert summaries and inventory. What the alerts may mean is a guess, so
that a rehearsal can be wrong where the battlefield is right; it costs milliseconds and needs no packets.

score.AlertRehearsal().score(request, strategies)          # one figure each, higher is better
policy.RehearsedPolicy(policy, candidates=8).propose(...)  # the policy's candidates, best rehearsed first

Nothing is imported here: who only asks a policy that is sure never needs the simulator.
"""
