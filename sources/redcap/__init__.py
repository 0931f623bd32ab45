"""REDCap's API: what it says and how it fails. Pure: no Django, no database."""
