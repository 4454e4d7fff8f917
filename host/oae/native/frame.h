// Decodes a captured frame, in the order of test of docs/protocol.md, section 2. What only a receiver
// knows is taken from the frame: any link session but zero will do, and of the sender's epoch the high
// half is found from the digest. host/oae/check/kernel.py has Frame as a numpy type.
#pragma once
#include <array>

#include "crc32c.h"
#include "oae_defs.h"
#include "packet.h"

namespace oae {

enum class FrameVerdict : uint8_t {
  RECEIVED = 0,
  MALFORMED = 1,
  FOREIGN = 2,
  UNSUPPORTED = 3,
  INCOMPLETE = 4,  // nothing is wrong with the bytes that were captured, but some were not
};

struct Frame {
  uint64_t session, verified, challenger;  // SYNC and SYNC_ACK
  uint32_t counter;
  uint32_t id;
  uint32_t link_session;
  uint32_t digest;   // never complemented
  uint32_t epoch;    // DATA: the sender's whole epoch if the digest is right, else its low half
  uint32_t operand;  // guard frames
  uint32_t body;     // offset in the packet such that the EtherType is at 12
  uint32_t record_bytes;
  uint16_t ethertype;
  uint16_t length;
  uint16_t record_max;  // SYNC and SYNC_ACK
  uint8_t window;
  uint8_t verdict;
  uint8_t reason;     // MalformedReason
  uint8_t operation;  // 255: not known
  uint8_t balance;
  uint8_t kind;
};

// High half of the epochs of one direction, once known.
struct EpochHigh {
  bool known = false;
  uint16_t high = 0;
};

enum class Carries : uint8_t { UNKNOWN, GUARD, RECORD, SYNC, NOTHING };

struct OperationShape {
  Carries carries = Carries::UNKNOWN;
  uint8_t balance = 0;
};

constexpr std::array<OperationShape, 32> operation_shapes() {
  std::array<OperationShape, 32> shapes{};
  const auto set = [&](Operation operation, Carries carries, Balance balance) {
    shapes[static_cast<uint8_t>(operation)] = {carries, static_cast<uint8_t>(balance)};
  };
  set(Operation::NOP, Carries::GUARD, Balance::PLUS_ZERO);
  set(Operation::DATA, Carries::RECORD, Balance::PLUS_ONE);
  set(Operation::ACK, Carries::GUARD, Balance::PLUS_ZERO);
  set(Operation::REQ, Carries::NOTHING, Balance::MINUS_ONE);
  set(Operation::RSP, Carries::NOTHING, Balance::PLUS_ZERO);
  set(Operation::SYNC, Carries::SYNC, Balance::PLUS_ZERO);
  set(Operation::SYNC_ACK, Carries::SYNC, Balance::MINUS_ZERO);
  set(Operation::RESET, Carries::NOTHING, Balance::PLUS_ZERO);
  set(Operation::COMMIT, Carries::GUARD, Balance::PLUS_ONE);
  set(Operation::DONE, Carries::GUARD, Balance::MINUS_ZERO);
  set(Operation::JAM, Carries::NOTHING, Balance::MINUS_ZERO);
  set(Operation::BEACON, Carries::NOTHING, Balance::PLUS_ZERO);
  set(Operation::ABORTED, Carries::GUARD, Balance::PLUS_ZERO);
  set(Operation::ABORT, Carries::GUARD, Balance::PLUS_ZERO);
  return shapes;
}
constexpr auto kShapes = operation_shapes();

inline uint16_t big16(const uint8_t* bytes) { return static_cast<uint16_t>(bytes[0] << 8 | bytes[1]); }
inline uint32_t big32(const uint8_t* bytes) {
  uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
  return __builtin_bswap32(word);
}
inline uint64_t big64(const uint8_t* bytes) { return __builtin_bswap64(load64(bytes)); }

// Digest of a record and its place.
inline uint32_t record_digest(const uint8_t* record, uint32_t size, uint32_t link_session, uint32_t id,
                              uint8_t kind, uint32_t epoch) {
  const uint32_t whole = size & ~7u;
  uint32_t state = crc32c_step(~0u, record, whole);
  uint8_t rest[24] = {};
  const uint32_t left = size - whole;
  std::memcpy(rest, record + whole, left);
  uint8_t* trailer = rest + (left ? 8 : 0);
  const auto put = [](uint8_t* at, uint32_t word) {
    word = __builtin_bswap32(word);
    std::memcpy(at, &word, sizeof word);
  };
  put(trailer, link_session);
  put(trailer + 4, id);
  put(trailer + 8, static_cast<uint32_t>(kind) << 24 | (size & 0xFFFF));
  put(trailer + 12, epoch);
  return ~crc32c_step(state, rest, left ? 24 : 16);
}

// What the high half of an epoch adds to a digest. CRC is linear, so this is a linear map.
class EpochMap {
 public:
  EpochMap() {
    for (int bit = 0; bit < 16; ++bit) {
      const uint16_t high = static_cast<uint16_t>(1 << bit);
      uint32_t image = added(high);
      uint16_t origin = high;
      for (const Row& row : rows_)
        if (row.image && (image >> row.pivot & 1)) image ^= row.image, origin ^= row.origin;
      rows_[bit] = {image, origin, 31 - __builtin_clz(image)};
    }
  }

  static uint32_t added(uint16_t high) {
    const uint8_t bytes[4] = {static_cast<uint8_t>(high >> 8), static_cast<uint8_t>(high), 0, 0};
    return crc32c_tables(0, bytes, sizeof bytes);
  }

  // The one high half that adds `difference`; false if none does.
  bool solve(uint32_t difference, uint16_t& high) const {
    high = 0;
    for (const Row& row : rows_)
      if (difference >> row.pivot & 1) difference ^= row.image, high ^= row.origin;
    return difference == 0;
  }

 private:
  struct Row {
    uint32_t image = 0;
    uint16_t origin = 0;
    int pivot = 0;
  };
  std::array<Row, 16> rows_{};
};
inline const EpochMap kEpochMap;

// Whether the digest of a DATA fits an epoch that its direction can have.
inline bool find_epoch(uint32_t difference, EpochHigh& epoch) {
  if (epoch.known) {
    if (difference == EpochMap::added(epoch.high)) return true;
    const uint16_t next = static_cast<uint16_t>(epoch.high + 1);
    if (difference != EpochMap::added(next)) return false;
    epoch.high = next;
    return true;
  }
  epoch.known = kEpochMap.solve(difference, epoch.high);
  return epoch.known;
}

// `bytes` are the captured ones of `original`, both without the FCS.
inline void decode(const uint8_t* bytes, uint32_t captured, uint32_t original, bool bad,
                   uint16_t ethertype, EpochHigh& epoch, Frame& frame) {
  frame = Frame{};
  frame.operation = 255;
  const auto malformed = [&](MalformedReason reason) {
    frame.verdict = static_cast<uint8_t>(FrameVerdict::MALFORMED);
    frame.reason = static_cast<uint8_t>(reason);
  };
  const auto verdict = [&](FrameVerdict found) { frame.verdict = static_cast<uint8_t>(found); };
  if (bad) return malformed(MalformedReason::BAD_FROM_MAC);
  if (original < 14) return malformed(MalformedReason::TOO_SHORT);
  if (captured < 14) return verdict(FrameVerdict::INCOMPLETE);
  for (int tags = 0;; ++tags) {
    frame.ethertype = big16(bytes + 12);
    if (tags == 4 || (frame.ethertype != 0x8100 && frame.ethertype != 0x88A8)) break;
    if (original < 18) break;  // no room for what the tag announces: foreign as it stands
    if (captured < 18) return verdict(FrameVerdict::INCOMPLETE);
    bytes += 4, captured -= 4, original -= 4, frame.body += 4;
  }
  if (frame.ethertype != ethertype) return verdict(FrameVerdict::FOREIGN);
  if (original < MINIMUM_FRAME_BYTES) return malformed(MalformedReason::TOO_SHORT);
  uint8_t padded[64];
  const uint8_t* head = bytes;
  if (captured < sizeof padded) {  // reads of the header never leave what was captured
    std::memset(padded, 0, sizeof padded);
    std::memcpy(padded, bytes, captured);
    head = padded;
  }
  if (captured < 15) return verdict(FrameVerdict::INCOMPLETE);
  frame.operation = head[14] & 0x1F;
  frame.balance = head[14] >> 5;
  const OperationShape shape = kShapes[frame.operation];
  if (shape.carries == Carries::UNKNOWN) return malformed(MalformedReason::UNKNOWN_OPERATION);
  if (shape.carries == Carries::NOTHING) return verdict(FrameVerdict::UNSUPPORTED);
  if (frame.balance != shape.balance) return malformed(MalformedReason::WRONG_BALANCE);
  frame.length = big16(head + 17);
  frame.link_session = big32(head + 19);
  frame.kind = head[23];
  frame.id = static_cast<uint32_t>(big16(head + 24)) << 16 | big16(head + 15);
  frame.epoch = big16(head + 26);
  frame.digest = big32(head + 28);
  const auto operation = static_cast<Operation>(frame.operation);
  if (operation == Operation::ABORT || operation == Operation::ABORTED) frame.digest = ~frame.digest;
  if (frame.kind > (shape.carries == Carries::RECORD ? 1 : 0))
    return malformed(MalformedReason::UNKNOWN_KIND);
  const uint32_t end = 19u + frame.length;
  if (captured >= 19) {
    bool possible;
    if (shape.carries == Carries::GUARD)
      possible = frame.length == LENGTH_BASE;
    else if (end > original)
      possible = false;
    else if (shape.carries == Carries::SYNC)
      possible = frame.length == LENGTH_BASE + SYNC_RECORD_BYTES;
    else
      possible = frame.length > LENGTH_BASE;
    if (!possible) return malformed(MalformedReason::BAD_LENGTH);
    frame.record_bytes = frame.length - LENGTH_BASE;
  }
  if (shape.carries == Carries::GUARD) {
    frame.operand = big32(head + 32);
    bool intact;
    if (captured >= MINIMUM_FRAME_BYTES) {
      const auto complement = [&](int at) {
        return (load64(head + at) ^ load64(head + at + 24)) == ~0ull;
      };
      intact = complement(14) && complement(22) && complement(28) && !(head[36] | head[37]);
    } else {
      intact = !(head[36] | head[37]);
      for (uint32_t at = 38; at < captured; ++at) intact &= (head[at] ^ head[at - 24]) == 0xFF;
    }
    if (!intact) return malformed(MalformedReason::BAD_GUARD);
  }
  const bool is_sync = shape.carries == Carries::SYNC;
  if (captured >= 23 && is_sync != (frame.link_session == 0))
    return malformed(MalformedReason::WRONG_LINK_SESSION);
  const uint32_t needed = shape.carries == Carries::GUARD ? MINIMUM_FRAME_BYTES : end;
  if (captured < needed || captured < HEADER_BYTES) return verdict(FrameVerdict::INCOMPLETE);
  if (shape.carries == Carries::GUARD) return;
  const uint8_t* record = bytes + HEADER_BYTES;
  const uint32_t difference =
      frame.digest ^ record_digest(record, frame.record_bytes, frame.link_session, frame.id,
                                   frame.kind, frame.epoch);
  if (is_sync) {
    if (difference) return malformed(MalformedReason::WRONG_DIGEST);
    frame.session = big64(record);
    frame.verified = big64(record + 8);
    frame.challenger = big64(record + 16);
    frame.counter = big32(record + 24);
    frame.record_max = big16(record + 28);
    frame.window = record[30];
    frame.digest = 0;
    return;
  }
  if (!find_epoch(difference, epoch)) return malformed(MalformedReason::WRONG_DIGEST);
  frame.epoch |= static_cast<uint32_t>(epoch.high) << 16;
}

}  // namespace oae
