"""Size and speed of one end on an FPGA: `make synth` (docs/synthesis.md)."""
