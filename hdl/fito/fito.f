hdl/fito/oae_fito_end.v
hdl/fito/oae_fito_sender.v
hdl/fito/oae_fito_receiver.v
