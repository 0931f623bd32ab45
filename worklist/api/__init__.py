"""The worklist by REST.

items            a scanner's items: list, create, change, delete, history
performed_steps  what scanners reported
attention        what a coordinator must look at
"""
