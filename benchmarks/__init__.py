"""Speed as ratios: the app against its own storage, against a peer, and against itself; never deployed."""
