"""Memories at work: random bits, images of digits, and one generative network asked in three ways."""
