// The two CRC functions are CRC-32C, in both arrangements that the digest is counted in.
//
// Builder and submit unit count the record in a register that runs 16 bytes ahead, and the trailer
// apart; the digest is the sum. Shown is, for any register and any words: one word is eight bytes
// of the bitwise definition; a step of the register that runs ahead is the step of the plain one,
// moved; and the sum of the two shares is the plain CRC over record and trailer.
//
// Every function here is an exclusive-or of its inputs' bits and of nothing else (oae_crc32c.vh has
// no other operator), so two of them are equal if they agree on each single bit and on none: a
// solver that is asked about all words at once does not come back.
`default_nettype none

module oae_crc_proof (
    input wire [31:0] crc,
    input wire [63:0] word,
    input wire [63:0] trailer_0,
    input wire [63:0] trailer_1
);

  `include "oae_crc32c.vh"

  // The definition: bit by bit, lowest lane and lowest bit first, reflected polynomial 0x82F63B78.
  function automatic [31:0] plain;
    input [31:0] from;
    input [63:0] data;
    integer i;
    begin
      plain = from;
      for (i = 0; i < 64; i = i + 1)
        plain = {1'b0, plain[31:1]} ^ (plain[0] ^ data[i] ? 32'h82f63b78 : 32'd0);
    end
  endfunction
  // Past the 16 bytes of the trailer, as far as the register alone goes.
  function automatic [31:0] moved;
    input [31:0] from;
    moved = plain(plain(from, 64'd0), 64'd0);
  endfunction

  wire [31:0] trailer_share = oae_crc_word(oae_crc_word(32'd0, trailer_0), trailer_1);

  wire [223:0] bits = {crc, word, trailer_0, trailer_1};
  always @* assume ((bits & (bits - 1'b1)) == 224'd0);  // one bit, or none

  always @* begin
    // One word of eight bytes.
    word_is_bytes : assert (oae_crc_word(crc, word) == plain(crc, word));
    // The register that runs ahead, from its first value on.
    starts : assert (`OAE_CRC_RECORD_INITIAL == moved(32'hffffffff));
    runs_ahead : assert (oae_crc_record_word(moved(crc), word) == moved(plain(crc, word)));
    // Record and trailer, each counted apart, make the plain CRC of both.
    sum : assert ((moved(crc) ^ trailer_share) == plain(plain(crc, trailer_0), trailer_1));
    reaches : cover (word[63] && plain(crc, word) == 32'h82f63b78);
  end

endmodule
`default_nettype wire
