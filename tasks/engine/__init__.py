"""What every task shares: settings, the walk, runs, networks, metrics."""
