// Finds the packets of a capture, fed in chunks: pcapng and classic pcap (docs/capture.md).
//
// Nothing outside the chunk is read, whatever stands in it. What a file says that cannot be is
// damage: the walk ends there, and `damage` says what and where.
#pragma once
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "packet.h"

namespace oae {

// Where packets were taken; host/oae/capture/read.py has the same.
struct Interface {
  uint64_t received;      // what the capture says of it in the end
  uint64_t dropped;
  int64_t time_offset;    // seconds
  uint32_t has_received;
  uint32_t has_dropped;
  uint32_t section;       // counted from 0
  uint32_t link_type;
  uint32_t snap_length;   // 0: no limit
  uint32_t resolution;    // of the time stamps: 10^-n s, or 2^-n s if bit 7 is set
  uint32_t fcs_length;
  uint32_t has_fcs_length;
  char name[256];         // ends in zero; what is longer is cut
  char description[256];
};

enum class Format { NONE, PCAPNG, PCAP };

class Walk {
 public:
  static constexpr uint32_t LARGEST = 16 << 20;         // bytes of a block or packet
  static constexpr size_t MOST_INTERFACES = 1 << 16;

  // Looks at the first bytes of the file; false if it is no capture. What has less than 4 is none.
  bool begin(const uint8_t* head, size_t size) {
    if (size < 4) return false;
    uint32_t magic;
    memcpy(&magic, head, 4);
    if (magic == SECTION_HEADER) {
      if (size >= 12) {
        uint32_t order;
        memcpy(&order, head + 8, 4);
        if (order != BYTE_ORDER_MAGIC && order != __builtin_bswap32(BYTE_ORDER_MAGIC)) return false;
      }
      format = Format::PCAPNG;
      return true;
    }
    for (bool other : {false, true}) {
      swapped = other;
      switch (number(magic)) {
        case MICROSECONDS: return begin_pcap(6, 16);
        case NANOSECONDS: return begin_pcap(9, 16);
        case MODIFIED: return begin_pcap(6, 24);
      }
    }
    return false;
  }

  // Consumes whole blocks of the chunk and tells their packets, at most `room`; 0 if no more can be
  // told from this chunk. After `last` there is no other chunk.
  size_t walk(const uint8_t* chunk, size_t size, bool last, Packet* packets, size_t room,
              size_t* consumed) {
    const uint8_t* at = chunk;
    const uint8_t* end = chunk + size;
    Packet* next = packets;
    Packet* full = packets + room;
    if (format == Format::PCAPNG)
      while (next != full && !damaged() && take_block(chunk, at, end, last, next)) {}
    else
      while (next != full && !damaged() && take_record(chunk, at, end, last, next)) {}
    *consumed = size_t(at - chunk);
    position += *consumed;
    return size_t(next - packets);
  }

  bool damaged() const { return damage[0] != 0; }

  Format format = Format::NONE;
  std::vector<Interface> interfaces;
  uint64_t position = 0;  // in the file: what was consumed
  uint64_t count = 0;     // packets
  char damage[160] = "";

 private:
  static constexpr uint32_t SECTION_HEADER = 0x0A0D0D0A, BYTE_ORDER_MAGIC = 0x1A2B3C4D;
  static constexpr uint32_t INTERFACE_DESCRIPTION = 1, PACKET = 2, SIMPLE_PACKET = 3,
                            INTERFACE_STATISTICS = 5, ENHANCED_PACKET = 6, JOURNAL = 9,
                            CUSTOM = 0x0BAD, CUSTOM_NOT_TO_COPY = 0x40000BAD;
  static constexpr uint32_t MICROSECONDS = 0xA1B2C3D4, NANOSECONDS = 0xA1B23C4D,
                            MODIFIED = 0xA1B2CD34;  // with 8 more bytes before each packet
  static constexpr size_t PCAP_HEAD = 24, SECTION_BYTES = 28;
  static constexpr uint32_t WIRESHARK_LARGEST = 262144;  // bytes of a packet of classic pcap

  bool swapped = false;      // byte order of the section
  uint64_t skipped = 0;      // blocks that are no packets, but that Wireshark counts as such
  bool in_section = false;   // pcapng: its first section header is consumed; pcap: the header
  uint32_t section = 0;
  size_t first_interface = 0;  // of the section
  size_t record_head = 0;      // classic pcap: bytes before a packet
  uint32_t record_limit = 0;

  uint32_t number(uint32_t value) const { return swapped ? __builtin_bswap32(value) : value; }
  uint16_t word(const uint8_t* at) const {
    uint16_t value;
    memcpy(&value, at, 2);
    return swapped ? __builtin_bswap16(value) : value;
  }
  uint32_t number(const uint8_t* at) const {
    uint32_t value;
    memcpy(&value, at, 4);
    return number(value);
  }
  uint64_t wide(const uint8_t* at) const {
    uint64_t value;
    memcpy(&value, at, 8);
    return swapped ? __builtin_bswap64(value) : value;
  }

  // ------------------------------------------------------------------------------ damage

  template <typename... Values>
  bool wrong(size_t offset, const char* what, Values... values) {
    char text[80];
    snprintf(text, sizeof text, what, values...);
    snprintf(damage, sizeof damage, "%s, at byte %llu, after %llu packets", text,
             static_cast<unsigned long long>(position + offset),
             static_cast<unsigned long long>(count));
    return false;
  }

  // What begins at `offset` is not whole: the next chunk has the rest, if there is one.
  bool unfinished(size_t offset, size_t there, bool last) {
    if (last && there) wrong(offset, "the file is cut off");
    return false;
  }

  // ------------------------------------------------------------------------------ pcapng

  // Consumes the block at `at`; false if it is not whole or damaged.
  bool take_block(const uint8_t* chunk, const uint8_t*& at, const uint8_t* end, bool last,
                  Packet*& next) {
    const size_t offset = size_t(at - chunk), there = size_t(end - at);
    if (there < 12) return unfinished(offset, there, last);
    const bool section_header = number(at) == SECTION_HEADER;
    if (section_header) {
      uint32_t order;
      memcpy(&order, at + 8, 4);
      if (order != BYTE_ORDER_MAGIC && order != __builtin_bswap32(BYTE_ORDER_MAGIC))
        return wrong(offset, "a section of unknown byte order");
      swapped = order != BYTE_ORDER_MAGIC;
    }
    const uint32_t type = number(at), length = number(at + 4);
    if (length < 12 || length % 4) return wrong(offset, "a block of %u bytes", length);
    if (length > LARGEST) return wrong(offset, "a block of %u bytes, more than 16 MiB", length);
    if (length > there) return unfinished(offset, there, last);
    if (number(at + length - 4) != length)
      return wrong(offset, "a block whose two lengths differ");
    const uint8_t* body = at + 8;
    const size_t size = length - 12;
    bool good = true;
    switch (type) {
      case ENHANCED_PACKET: good = enhanced_packet(chunk, body, size, next); break;
      case PACKET: good = packet(chunk, body, size, next); break;
      case SIMPLE_PACKET: good = simple_packet(chunk, body, size, next); break;
      case INTERFACE_DESCRIPTION: good = interface_description(offset, body, size); break;
      case INTERFACE_STATISTICS: good = interface_statistics(offset, body, size); break;
      case SECTION_HEADER: good = section_start(offset, body, size); break;
      case JOURNAL:
      case CUSTOM:
      case CUSTOM_NOT_TO_COPY: ++skipped; break;
    }
    if (good) at += length;
    return good;
  }

  bool section_start(size_t offset, const uint8_t* body, size_t size) {
    if (size + 12 < SECTION_BYTES) return wrong(offset, "a section header that is too short");
    if (word(body + 4) != 1) return wrong(offset, "a section of version %u", word(body + 4));
    section += in_section;
    in_section = true;
    first_interface = interfaces.size();
    return true;
  }

  // Calls `take` with each option; false if one reaches beyond the block.
  template <typename Take>
  bool options(size_t offset, const uint8_t* at, const uint8_t* end, Take take) {
    while (end - at >= 4) {
      const uint32_t code = word(at), length = word(at + 2);
      if (code == 0) return true;
      at += 4;
      const size_t padded = (length + 3) & ~size_t(3);
      if (padded > size_t(end - at)) return wrong(offset, "an option longer than its block");
      take(code, at, length);
      at += padded;
    }
    return true;
  }

  bool interface_description(size_t offset, const uint8_t* body, size_t size) {
    if (size < 8) return wrong(offset, "an interface description that is too short");
    if (interfaces.size() == MOST_INTERFACES)
      return wrong(offset, "more than %zu interfaces", MOST_INTERFACES);
    Interface found{};
    found.section = section;
    found.link_type = word(body);
    found.snap_length = number(body + 4);
    found.resolution = 6;
    const auto take = [&](uint32_t code, const uint8_t* value, uint32_t length) {
      if (code == 2) text(found.name, value, length);
      if (code == 3) text(found.description, value, length);
      if (code == 9 && length == 1) found.resolution = *value;
      if (code == 13 && length == 1) {
        found.fcs_length = *value;
        found.has_fcs_length = 1;
      }
      if (code == 14 && length == 8) found.time_offset = int64_t(wide(value));
    };
    if (!options(offset, body + 8, body + size, take)) return false;
    interfaces.push_back(found);
    return true;
  }

  static void text(char (&to)[256], const uint8_t* value, uint32_t length) {
    length = std::min(length, uint32_t(sizeof to - 1));
    memcpy(to, value, length);
    to[length] = 0;
  }

  bool interface_statistics(size_t offset, const uint8_t* body, size_t size) {
    if (size < 12) return wrong(offset, "interface statistics that are too short");
    Interface* found = interface(offset, number(body));
    if (!found) return false;
    return options(offset, body + 12, body + size,
                   [&](uint32_t code, const uint8_t* value, uint32_t length) {
                     if (length != 8) return;
                     if (code == 4) {
                       found->received = wide(value);
                       found->has_received = 1;
                     }
                     if (code == 5) {
                       found->dropped = wide(value);
                       found->has_dropped = 1;
                     }
                   });
  }

  Interface* interface(size_t offset, uint32_t index) {
    if (index < interfaces.size() - first_interface) return &interfaces[first_interface + index];
    wrong(offset, "an interface %u that is not described", index);
    return nullptr;
  }

  bool enhanced_packet(const uint8_t* chunk, const uint8_t* body, size_t size, Packet*& next) {
    const size_t offset = size_t(body - 8 - chunk);
    if (size < 20) return wrong(offset, "a packet block that is too short");
    const uint32_t index = number(body);
    Interface* taken = interface(offset, index);
    if (!taken) return false;
    *next = Packet{};
    return stamped_packet(chunk, body, size, *taken, index, next);
  }

  // The obsolete one: as the enhanced, with 16 bits of interface and 16 of drop count.
  bool packet(const uint8_t* chunk, const uint8_t* body, size_t size, Packet*& next) {
    const size_t offset = size_t(body - 8 - chunk);
    if (size < 20) return wrong(offset, "a packet block that is too short");
    const uint32_t index = word(body), dropped = word(body + 2);
    Interface* taken = interface(offset, index);
    if (!taken) return false;
    *next = Packet{};
    if (dropped != UINT16_MAX) next->dropped = dropped;  // UINT16_MAX: not known
    return stamped_packet(chunk, body, size, *taken, index, next);
  }

  bool stamped_packet(const uint8_t* chunk, const uint8_t* body, size_t size,
                      const Interface& taken, uint32_t index, Packet*& next) {
    const size_t offset = size_t(body - 8 - chunk);
    Packet& found = *next;
    const uint64_t time = uint64_t(number(body + 4)) << 32 | number(body + 8);
    found.time = nanoseconds(time, taken);
    found.captured = number(body + 12);
    found.original = std::max(number(body + 16), found.captured);
    found.offset = uint32_t(body + 20 - chunk);
    found.interface = uint32_t(first_interface + index);
    found.flags = TIMED;
    if (found.captured > size - 20) return wrong(offset, "a packet longer than its block");
    const uint8_t* after = body + 20 + std::min((size_t(found.captured) + 3) & ~size_t(3), size - 20);
    const auto take = [&](uint32_t code, const uint8_t* value, uint32_t length) {
      switch (code) {
        case 1:
          if (found.flags & COMMENTED) break;
          found.comment = uint32_t(value - chunk);
          found.comment_bytes = length;
          found.flags |= COMMENTED;
          break;
        case 2: {
          if (length != 4) break;
          const uint32_t flags = number(value);
          if ((flags & 3) == 1) found.flags |= INBOUND;
          if ((flags & 3) == 2) found.flags |= OUTBOUND;
          if (flags >> 24 & 1) found.flags |= BAD;
          break;
        }
        case 4:
          if (length == 8) found.dropped = uint32_t(std::min<uint64_t>(wide(value), UINT32_MAX));
          break;
        case 5:
          if (length != 8) break;
          found.number = wide(value);
          found.flags |= NUMBERED;
          break;
      }
    };
    if (!options(offset, after, body + size, take)) return false;
    found.index = ++count + skipped;
    ++next;
    return true;
  }

  bool simple_packet(const uint8_t* chunk, const uint8_t* body, size_t size, Packet*& next) {
    const size_t offset = size_t(body - 8 - chunk);
    if (size < 4) return wrong(offset, "a packet block that is too short");
    const Interface* taken = interface(offset, 0);
    if (!taken) return false;
    Packet found{};
    found.original = number(body);
    found.captured = found.original;
    if (taken->snap_length) found.captured = std::min(found.captured, taken->snap_length);
    if (found.captured > size - 4) return wrong(offset, "a packet longer than its block");
    found.offset = uint32_t(body + 4 - chunk);
    found.interface = uint32_t(first_interface);
    found.index = ++count + skipped;
    *next++ = found;
    return true;
  }

  static uint64_t nanoseconds(uint64_t time, const Interface& taken) {
    const uint32_t digits = taken.resolution & 0x7F;
    if (taken.resolution & 0x80)
      time = uint64_t((unsigned __int128)time * 1000000000 >> digits);
    else if (digits <= 9)
      time *= POWERS[9 - digits];
    else
      time = digits - 9 < std::size(POWERS) ? time / POWERS[digits - 9] : 0;
    return time + uint64_t(taken.time_offset) * 1000000000;
  }

  static constexpr uint64_t POWERS[] = {
      1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
      10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000,
      1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000,
      10000000000000000000u};

  // ------------------------------------------------------------------------------ classic pcap

  bool begin_pcap(uint32_t resolution, size_t head) {
    format = Format::PCAP;
    record_head = head;
    interfaces.push_back(Interface{});
    interfaces[0].resolution = resolution;
    return true;
  }

  bool take_record(const uint8_t* chunk, const uint8_t*& at, const uint8_t* end, bool last,
                   Packet*& next) {
    const size_t offset = size_t(at - chunk), there = size_t(end - at);
    if (!in_section) return take_header(at, offset, there, last);
    if (there < record_head) return unfinished(offset, there, last);
    const uint32_t captured = number(at + 8);
    if (captured > record_limit) return wrong(offset, "a packet of %u bytes", captured);
    if (captured > there - record_head) return unfinished(offset, there, last);
    Packet found{};
    const uint64_t fraction = number(at + 4);
    found.time = uint64_t(number(at)) * 1000000000 + fraction * POWERS[9 - interfaces[0].resolution];
    found.captured = captured;
    found.original = std::max(number(at + 12), captured);
    found.offset = uint32_t(offset + record_head);
    found.flags = TIMED;
    found.index = ++count + skipped;
    *next++ = found;
    at += record_head + captured;
    return true;
  }

  bool take_header(const uint8_t*& at, size_t offset, size_t there, bool last) {
    if (there < PCAP_HEAD) return unfinished(offset, there, last);
    if (word(at + 4) != 2) return wrong(offset, "a capture of version %u", word(at + 4));
    Interface& found = interfaces[0];
    found.snap_length = number(at + 16);
    const uint32_t network = number(at + 20);
    found.link_type = network & 0xFFFF;
    if (network >> 26 & 1) {  // the length of the FCS, in 16-bit words, stands beside it
      found.fcs_length = 2 * (network >> 28);
      found.has_fcs_length = 1;
    }
    // Some tools write packets longer than the snap length that they announce, and 0 means none.
    record_limit = std::min(std::max(found.snap_length, WIRESHARK_LARGEST),
                            uint32_t(LARGEST - record_head));
    in_section = true;
    at += PCAP_HEAD;
    return true;
  }
};

}  // namespace oae
