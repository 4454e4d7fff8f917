"""The parts that must be fast, in C++: walking captures, decoding frames, checking promises."""
