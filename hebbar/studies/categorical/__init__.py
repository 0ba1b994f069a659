"""A categorical output and precise hidden layers: are the probabilities right, what are they worth, what does pi do?"""
