// One packet of a capture, as the walker finds it and the checker takes it. host/oae/native/packet.py
// has the same as a numpy type.
#pragma once
#include <cstdint>

namespace oae {

enum PacketFlag : uint32_t {
  INBOUND = 1,         // the direction that the capture names
  OUTBOUND = 2,
  BAD = 4,             // the capture says that the frame is damaged (CRC error)
  NUMBERED = 8,        // `number` is what the capture says (epb_packetid)
  COMMENTED = 16,      // has a comment
  TIMED = 32,          // has a time stamp (simple packet blocks have none)
};

struct Packet {
  uint64_t time;       // nanoseconds, as the capture counts them
  uint64_t number;     // epb_packetid: {end that transmitted it, its number}, 32 bits each
  uint64_t index;      // place in the file: 1 for its first packet, as Wireshark counts
  uint32_t offset;     // of its bytes in the chunk
  uint32_t captured;   // bytes that are there
  uint32_t original;   // bytes that there were
  uint32_t flags;      // of PacketFlag
  uint32_t comment;    // offset of its comment in the chunk
  uint32_t comment_bytes;
  uint32_t interface;  // counted through all sections of the file
  uint32_t dropped;    // packets lost just before this one (epb_dropcount)
};

}  // namespace oae
