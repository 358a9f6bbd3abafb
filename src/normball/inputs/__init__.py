"""Every input becomes a design here, and every problem with it is said here."""
