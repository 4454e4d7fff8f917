// One byte more into the register of CRC-32 (IEEE 802.3, reflected). To be included inside a module.
// The register begins with all ones; the CRC is its complement, sent lowest byte first.
localparam [31:0] CRC_INITIAL = 32'hffffffff;

function automatic [31:0] oae_crc32_byte;
  input [31:0] crc;
  input [7:0] data;
  integer i;
  begin
    oae_crc32_byte = crc ^ {24'd0, data};
    for (i = 0; i < 8; i = i + 1)
    oae_crc32_byte = {1'b0, oae_crc32_byte[31:1]} ^ (oae_crc32_byte[0] ? 32'hedb88320 : 32'd0);
  end
endfunction
