"""``make demo``: a real attack against the lab, stopped by respond.yml; or, without root, the configuration half."""
