"""Answers kept from earlier runs: the same question about the same project, asked of the same tool, is answered without any analysis.

What answers is meant to be imported in a run that imports next to nothing else: it needs no more of the standard library than what
Python itself has loaded when it starts. What keeps answers is imported by runs that had to find one.
"""
