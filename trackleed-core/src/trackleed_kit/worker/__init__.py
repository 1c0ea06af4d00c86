"""The worker's side of a foreign environment: started by trackleed there, it hosts one backend."""
