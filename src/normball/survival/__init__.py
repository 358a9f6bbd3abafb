"""What is said of times to an event, from targets and linear predictors alone, whoever made them."""
