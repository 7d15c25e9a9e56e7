"""What SecLoop costs, measured: each benchmark prints its own figures, nothing is asserted."""
