"""Archives are read by REST here, never set up: that is for the admin alone."""
