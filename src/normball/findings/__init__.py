"""What `check` says about data before and beside a fit: columns, target, separation, saturation."""
