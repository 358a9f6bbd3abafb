"""What is said of times to an event, in NumPy alone: from targets and linear predictors, whoever made them."""
