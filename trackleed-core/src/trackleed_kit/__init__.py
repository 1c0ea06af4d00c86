"""What a backend needs at run time, whatever environment it runs in.

Only the standard library, numpy and pyzmq, in Python 3.8 syntax: the same modules are
imported by a backend inside trackleed and by one in a foreign environment.
"""
