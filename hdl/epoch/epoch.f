hdl/epoch/oae_epoch_node.v
hdl/epoch/oae_epoch_domain.v
hdl/epoch/oae_epoch_port.v
