"""What can be verified, behind one protocol: built-in layers and a user's own functions."""
