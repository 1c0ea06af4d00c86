raise ImportError("No module named 'visdom'")
