"""`make audit` asks which versions of the locks have known vulnerabilities.

verdict   what the answer of pip-audit means
__main__  asks it, and tells
"""
