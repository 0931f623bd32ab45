"""Programs see by REST how sources fare, with their runs and issues, and ask for a pull."""
