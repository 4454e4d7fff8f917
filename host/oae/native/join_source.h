// One source of a joined capture: what one process wrote, piece by piece, as packets.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "walk.h"

namespace oae {

// Where a packet was taken.
enum Point : uint8_t { A_TRANSMIT, A_RECEIVE, B_TRANSMIT, B_RECEIVE, EVIDENCE, NONE };

struct Stream {
  static constexpr uint64_t kCycle = 16;  // nanoseconds
  static constexpr size_t kBatch = 4096, kMinimum = 60;

  std::vector<uint8_t> bytes;
  size_t consumed = 0, next = 0;
  std::vector<Packet> packets;
  std::vector<Point> kinds;  // of its interfaces
  Walk walk;
  uint64_t earliest = 0;  // its packets stand at this time or later
  uint32_t sequence = 0;  // of the evidence that comes next
  bool has_begun = false, is_last = false, has_told_end = false;
  bool is_told_cut_off = false;

  bool has_head() const { return next < packets.size(); }
  uint64_t time() const { return packets[next].time / kCycle * kCycle; }
  uint64_t key() const { return time() ? std::max(time(), earliest) : 0; }
  uint64_t shift() const { return key() - time(); }
  const uint8_t* data() const { return bytes.data() + packets[next].offset; }

  // What is behind is not needed any more.
  void forget() {
    const size_t gone = has_head() ? packets[next].offset : consumed;
    bytes.erase(bytes.begin(), bytes.begin() + ptrdiff_t(gone));
    packets.erase(packets.begin(), packets.begin() + ptrdiff_t(next));
    for (Packet& packet : packets) {
      packet.offset -= static_cast<uint32_t>(gone);
      packet.comment -= static_cast<uint32_t>(gone);
    }
    consumed -= gone;
    next = 0;
  }

  void find() {
    size_t found;
    do {
      const size_t before = packets.size();
      packets.resize(before + kBatch);
      size_t used = 0;
      found = walk.walk(bytes.data() + consumed, bytes.size() - consumed, is_last, &packets[before],
                        kBatch, &used);
      packets.resize(before + found);
      for (size_t at = before; at < packets.size(); ++at) {
        packets[at].offset += static_cast<uint32_t>(consumed);
        packets[at].comment += static_cast<uint32_t>(consumed);
      }
      consumed += used;
    } while (found == kBatch);
    is_last |= walk.damaged();
    for (size_t at = kinds.size(); at < walk.interfaces.size(); ++at)
      kinds.push_back(kind(walk.interfaces[at].name));
  }

  static Point kind(std::string_view name) {
    static constexpr std::string_view kNames[] = {"a.transmit", "a.receive", "b.transmit", "b.receive",
                                                  "evidence"};
    for (uint8_t at = 0; at < NONE; ++at)
      if (name == kNames[at]) return static_cast<Point>(at);
    return NONE;
  }

  // Of a whole frame, padded as Ethernet does.
  uint64_t hash(size_t place) const {
    const Packet& packet = packets[place];
    const uint8_t* from = bytes.data() + packet.offset;
    const size_t size = std::max<size_t>(packet.captured, kMinimum);
    uint64_t found = size;
    for (size_t at = 0; at < size; at += 8) {
      uint64_t word = 0;
      if (at < packet.captured) std::memcpy(&word, from + at, std::min<size_t>(8, packet.captured - at));
      found = (found ^ word) * 0x9E3779B97F4A7C15;
      found ^= found >> 29;
    }
    return found;
  }
  uint64_t hash() const { return hash(next); }
};

}  // namespace oae
