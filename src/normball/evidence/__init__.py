"""What a page says about the data of a model: it reads data and results, and may solve; `report` draws it."""
