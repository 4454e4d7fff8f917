hdl/fito/oae_fito_sender.v
hdl/fito/oae_fito_receiver.v
hdl/fito/oae_fito_beat.v
