"""Archives are read by REST here, never set up: that is for the admin alone.

archives  where they are, and how they are asked
studies   what they answered of studies, and what came of asking for each item
"""
