"""The Python front end, common to all of its stacks."""
