"""Sign-in and accounts by REST."""
