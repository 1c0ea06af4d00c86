def get_dataset_cfg(cfg):
    assert cfg.dataset == "generic"
    cfg.mem_every = 5
