// Traffic for benchmarks: committed transactions of 64-byte records on both lanes, WINDOW of them at a
// time, with a beat here and there, as a run records them. host/oae/check/benchmark.py is its Python side.
#include <cstdio>
#include <vector>

#include "frame.h"
#include "wire.h"

namespace {

using oae::Operation;

constexpr uint32_t kWindow = 8, kRecordBytes = 64, kBeatEvery = 32;  // frames of an end to a beat
constexpr uint64_t kCycle = 16;                                      // nanoseconds
constexpr uint64_t kSession[2] = {0x8C3D10E5A1B2C3D4, 0x51F0E2D3C4B5A697};
constexpr size_t kBlockMost = 256;

// What stands before and after the bytes of a packet in an enhanced packet block.
struct BlockHead {
  uint32_t type, length, interface, time_high, time_low, captured, original;
};
struct BlockTail {
  uint16_t flags_code = 2, flags_bytes = 4;
  uint32_t flags;
  uint16_t number_code = 5, number_bytes = 8;
  uint32_t number, end;  // a word of 64 bits, least significant half first
  uint32_t last_option = 0, length;
};

void put16(uint8_t* at, uint16_t value) {
  value = __builtin_bswap16(value);
  std::memcpy(at, &value, sizeof value);
}
void put32(uint8_t* at, uint32_t value) {
  value = __builtin_bswap32(value);
  std::memcpy(at, &value, sizeof value);
}
void put64(uint8_t* at, uint64_t value) {
  value = __builtin_bswap64(value);
  std::memcpy(at, &value, sizeof value);
}

class Traffic {
 public:
  Traffic(std::FILE* file, uint64_t packets) : file_(file), left_(packets) {}

  bool write() {
    for (const int end : {0, 1}) sync(Operation::SYNC, end, 0, 0, 1);
    for (const int end : {0, 1}) sync(Operation::SYNC_ACK, end, 0, kSession[1 - end], 1);
    for (const int end : {0, 1}) sync(Operation::SYNC, end, kSession[1 - end], 0, 2);
    for (const int end : {0, 1})
      sync(Operation::SYNC_ACK, end, kSession[1 - end], kSession[1 - end], 2);
    for (uint32_t first = 0; left_ && good_; first += kWindow) transactions(first);
    return good_;
  }

 private:
  void transactions(uint32_t first) {
    uint32_t digest[2][kWindow];
    for (uint32_t slot = 0; slot < kWindow; ++slot)
      for (const int end : {0, 1}) digest[end][slot] = data(end, first + slot);
    for (const Operation operation : {Operation::ACK, Operation::COMMIT, Operation::DONE})
      for (uint32_t slot = 0; slot < kWindow; ++slot)
        for (const int initiator : {0, 1}) {
          const int end = operation == Operation::COMMIT ? initiator : 1 - initiator;
          guarded(operation, end, first + slot, digest[initiator][slot], 0);
        }
  }

  uint32_t data(int end, uint32_t id) {
    uint8_t* record = frame_ + oae::HEADER_BYTES;
    for (uint32_t at = 0; at < kRecordBytes; at += 8) {
      random_ = random_ * 6364136223846793005 + 1442695040888963407;
      put64(record + at, random_);
    }
    const uint32_t session = oae::Wire::link_session(kSession[end], kSession[1 - end]);
    const uint32_t digest = oae::record_digest(record, kRecordBytes, session, id, 0, 0);
    head(Operation::DATA, end, id, kRecordBytes, session, digest);
    carry(end, oae::HEADER_BYTES + kRecordBytes);
    return digest;
  }

  void sync(Operation operation, int end, uint64_t verified, uint64_t challenger, uint32_t counter) {
    uint8_t* record = frame_ + oae::HEADER_BYTES;
    put64(record, kSession[end]);
    put64(record + 8, verified);
    put64(record + 16, challenger);
    put32(record + 24, counter);
    put16(record + 28, kRecordBytes);
    record[30] = kWindow;
    record[31] = 0;
    const uint32_t size = oae::SYNC_RECORD_BYTES;
    head(operation, end, 0, size, 0, oae::record_digest(record, size, 0, 0, 0, 0));
    carry(end, oae::HEADER_BYTES + size);
  }

  void guarded(Operation operation, int end, uint32_t id, uint32_t digest, uint32_t operand) {
    head(operation, end, id, 0, oae::Wire::link_session(kSession[end], kSession[1 - end]), digest);
    put32(frame_ + 32, operand);
    put16(frame_ + 36, 0);
    for (int at = 38; at < 60; ++at) frame_[at] = ~frame_[at - 24];
    carry(end, oae::MINIMUM_FRAME_BYTES);
  }

  void head(Operation operation, int end, uint32_t id, uint32_t record_bytes, uint32_t session,
            uint32_t digest) {
    address(frame_, 1 - end);
    address(frame_ + 6, end);
    put16(frame_ + 12, oae::ETHERTYPE);
    const uint8_t code = static_cast<uint8_t>(operation);
    frame_[14] = static_cast<uint8_t>(oae::kShapes[code].balance << 5 | code);
    put16(frame_ + 15, static_cast<uint16_t>(id));
    put16(frame_ + 17, static_cast<uint16_t>(oae::LENGTH_BASE + record_bytes));
    put32(frame_ + 19, session);
    frame_[23] = 0;
    put16(frame_ + 24, static_cast<uint16_t>(id >> 16));
    put16(frame_ + 26, 0);
    put32(frame_ + 28, digest);
  }

  static void address(uint8_t* at, int end) {
    put32(at, 0x02000000);
    put16(at + 4, static_cast<uint16_t>(0xA + end));
  }

  // The frame leaves its end and reaches the other; then a beat may be due.
  void carry(int end, uint32_t size) {
    time_ += (size + 7) / 8 * kCycle;
    const uint32_t number = sent_[end]++;
    packet(2 * end, 2, end, number, size);
    packet(2 * (1 - end) + 1, 1, end, number, size);
    if (sent_[end] % kBeatEvery == 0) {
      const uint32_t own = ++beats_[end] & 0x7FFF, heard = beats_[1 - end] & 0x7FFF;
      guarded(Operation::NOP, end, 0, 0, 1u << 31 | own << 16 | (heard ? 1u << 15 : 0) | heard);
    }
  }

  void packet(uint32_t interface, uint32_t flags, uint32_t end, uint32_t number, uint32_t size) {
    if (!left_ || !good_) return;
    --left_;
    const uint32_t padded = (size + 3) & ~3u;
    BlockTail tail;
    const uint32_t length = static_cast<uint32_t>(sizeof(BlockHead) + sizeof tail) + padded;
    const BlockHead block{6, length, interface, static_cast<uint32_t>(time_ >> 32),
                          static_cast<uint32_t>(time_), size, size};
    tail.flags = flags;
    tail.number = number, tail.end = end;
    tail.length = length;
    uint8_t bytes[kBlockMost] = {};
    std::memcpy(bytes, &block, sizeof block);
    std::memcpy(bytes + sizeof block, frame_, size);
    std::memcpy(bytes + sizeof block + padded, &tail, sizeof tail);
    good_ = std::fwrite(bytes, length, 1, file_) == 1;
  }

  std::FILE* file_;
  uint64_t left_;
  bool good_ = true;
  uint64_t time_ = 0, random_ = 1;
  uint32_t sent_[2] = {}, beats_[2] = {};
  uint8_t frame_[oae::HEADER_BYTES + kRecordBytes] = {};
};

}  // namespace

// Appends so many packets to a capture that has its interfaces; 0 if the file takes them all.
extern "C" __attribute__((visibility("default"))) int oae_traffic(const char* path,
                                                                  uint64_t packets) {
  std::FILE* file = std::fopen(path, "ab");
  if (!file) return -1;
  const bool good = Traffic(file, packets).write();
  return std::fclose(file) == 0 && good ? 0 : -1;
}
