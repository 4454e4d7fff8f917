// The CRC of the ends for the compiled engine, in place of hdl/rtl/oae_crc32c.vh: the same constants and
// functions, these as calls of the engine (crc_words.h), because the equations are a large part of
// what simulating an end costs.
`define OAE_CRC_INITIAL 32'hffffffff
`define OAE_CRC_RECORD_INITIAL 32'hbd8f6515
import "DPI-C" pure function int unsigned oae_crc_word(
  input int unsigned from_crc,
  input longint unsigned from_word
);
import "DPI-C" pure function int unsigned oae_crc_record_word(
  input int unsigned from_crc,
  input longint unsigned from_word
);
