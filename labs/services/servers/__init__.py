"""Our own weak servers, one file each, standard library only."""
