"""From a running program to a verified file: what there is to take, whether it is safe, and how it gets here."""
