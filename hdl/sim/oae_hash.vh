// The hash behind every random decision; host/oae/faults/hash.py is the same in Python. To be
// included inside a module.

// The finaliser of MurmurHash3 with 32 bits: a bijection in which every bit moves every bit.
function automatic [31:0] oae_mix;
  input [31:0] value;
  reg [31:0] hash;
  begin
    hash = value ^ (value >> 16);
    hash = hash * 32'h85ebca6b;
    hash = hash ^ (hash >> 13);
    hash = hash * 32'hc2b2ae35;
    oae_mix = hash ^ (hash >> 16);
  end
endfunction

// Takes one more word into a hash.
function automatic [31:0] oae_chain;
  input [31:0] hash;
  input [31:0] word;
  oae_chain = oae_mix((hash + 32'h9e3779b9) ^ word);
endfunction
