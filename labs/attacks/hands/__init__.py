"""Small programs that the means run where a stage starts; standard library only, handed over by standard input."""
