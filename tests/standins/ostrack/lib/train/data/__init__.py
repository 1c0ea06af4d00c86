raise ImportError("training needs torch._six")
