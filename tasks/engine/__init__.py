"""What every task goes through: settings, training, loading, evaluating, runs, networks."""
