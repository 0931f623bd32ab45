"""People and programs sign in by REST here, and admins manage accounts."""
