"""How the columns of a table become features: one file for each kind of term."""
