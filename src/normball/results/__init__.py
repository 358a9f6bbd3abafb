"""Results: arrays with documented shapes, the points on a path, their predictions, pictures and files."""
