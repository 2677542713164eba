"""The flow of values and control through one function: shared by all stacks, fed by their vocabularies."""
