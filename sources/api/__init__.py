"""Sources by REST: how they fare, their runs and issues, a pull on demand."""
