class NestedTensor:
    def __init__(self, tensors, mask):
        self.tensors, self.mask = tensors, mask
