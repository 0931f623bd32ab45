"""From REDCap's rows to what a worklist item should hold. Pure: no Django, no database, no network."""
