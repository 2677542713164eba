"""The lab: functions of a Convex project run before and after a change, on random documents, under convex-test.

This is the one room that runs code of the project, in a process of Node's that is shut in (`process.py`). Nothing is run unless a caller
asks for exactly that.
"""
