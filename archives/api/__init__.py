"""Archives by REST.

studies  what they answered of studies
"""
