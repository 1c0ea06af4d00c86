raise ImportError("training needs tensorboard")
