"""What a running system says of itself: logs of its functions, insights of its platform.

What reads it is imported only where it is asked for, since the settings know its measures.
"""
