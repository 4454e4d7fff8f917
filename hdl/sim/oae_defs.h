// Generated from host/oae/spec/link.toml by `make generate`; do not edit.
#pragma once
#include <cstdint>

namespace oae {
constexpr uint16_t kProtocolVersion = 1;
constexpr uint32_t ETHERTYPE = 34997;  // Default EtherType: IEEE 802 local experimental 1.
constexpr uint32_t HEADER_BYTES = 32;  // Bytes before the record or the guard: four slices of the 64-bit bus.
constexpr uint32_t MINIMUM_FRAME_BYTES = 60;  // Shortest Ethernet frame without its FCS (IEEE 802.3).
constexpr uint32_t LENGTH_BASE = 13;  // Payload length of a frame without a record: the header bytes after the length field.
constexpr uint32_t SYNC_RECORD_BYTES = 32;  // Record length of SYNC and SYNC_ACK.
constexpr uint32_t BEAT_NUMBER_BITS = 15;  // Width of a beat number in bits.
constexpr uint32_t WINDOW_MAX = 64;  // Largest number of slots of a lane.

enum class Operation : uint8_t {
  NOP = 0,
  DATA = 1,
  ACK = 2,
  REQ = 3,
  RSP = 4,
  SYNC = 5,
  SYNC_ACK = 6,
  RESET = 7,
  COMMIT = 8,
  DONE = 9,
  JAM = 12,
  BEACON = 14,
  ABORTED = 22,
  ABORT = 23,
};

enum class Balance : uint8_t {
  MINUS_INFINITY = 0,
  MINUS_ONE = 1,
  MINUS_ZERO = 2,
  PLUS_ZERO = 3,
  PLUS_ONE = 4,
  PLUS_INFINITY = 5,
};

enum class Kind : uint8_t {
  DATA = 0,
  EPOCH_ADVANCE = 1,
};

enum class State : uint8_t {
  IDLE = 0,
  TENTATIVE = 1,
  REFLECTING = 2,
  COMMITTED = 3,
  REVERSING = 4,
  ABORTED = 5,
};

enum class LinkState : uint8_t {
  DOWN = 0,
  SYNCING = 1,
  UP = 2,
  FAULT = 3,
};

enum class Outcome : uint8_t {
  COMMITTED = 1,
  ABORTED = 2,
  UNKNOWN = 3,
};

enum class AbortReason : uint8_t {
  NONE = 0,
  REQUESTED = 1,
  REFUSED = 2,
  EPOCH = 3,
  NOT_PREPARED = 4,
  PEER_LOST_MEMORY = 5,
  RECORD_TOO_LONG = 6,
  RECORD_INVALID = 7,
};

enum class MalformedReason : uint8_t {
  BAD_FROM_MAC = 1,
  TOO_SHORT = 2,
  UNKNOWN_OPERATION = 3,
  WRONG_BALANCE = 4,
  UNKNOWN_KIND = 5,
  BAD_LENGTH = 6,
  BAD_GUARD = 7,
  WRONG_LINK_SESSION = 8,
  WRONG_DIGEST = 9,
};

enum class Channel : uint8_t {
  POWER = 0,
  TRANSMIT = 1,
  RECEIVE = 2,
  INITIATOR = 3,
  RESPONDER = 4,
  LINK = 5,
};

enum class EventCode : uint8_t {
  CRASH = 1,
  AMNESIA = 2,
  SENT = 16,
  RECEIVED = 32,
  MALFORMED = 33,
  FOREIGN = 34,
  UNSUPPORTED = 35,
  NOT_UP = 36,
  OPENED = 48,
  REFLECTION_HEARD = 49,
  DECIDED = 50,
  MISMATCHED = 51,
  CANCELLED = 52,
  ABORT_CONFIRMED = 53,
  DONE_HEARD = 54,
  REFLECTION_REPEATED = 55,
  RETRIED = 56,
  RESENT = 57,
  TOLD = 58,
  ANSWER_IGNORED = 59,
  INITIATOR_VIOLATION = 60,
  CANCEL_IGNORED = 61,
  UNOPENED_TOLD = 62,
  RECORD_DISCARDED = 63,
  HELD = 64,
  REFLECTED = 65,
  REFUSED = 66,
  COMMIT_HEARD = 67,
  DELIVERED = 68,
  SKIPPED = 69,
  REVERSED = 70,
  ABORT_RECORDED = 71,
  ANSWER_REPEATED = 72,
  DELIVERY_AWAITED = 73,
  BEYOND_WINDOW = 74,
  BELOW_WINDOW = 75,
  COMMIT_IGNORED = 76,
  RESPONDER_VIOLATION = 77,
  DOUBTED = 78,
  ENABLED = 80,
  DISABLED = 81,
  SYNC_HEARD = 82,
  SYNC_ACK_HEARD = 83,
  SYNC_ACK_STALE = 84,
  LOOPBACK = 85,
  FOREIGN_SESSION = 86,
  SYNC_DUE = 87,
  INCOMING_DEAD = 88,
  OUTGOING_DEAD = 89,
  SESSION_ADOPTED = 90,
  PAIR_VIOLATION = 91,
  EPOCH_TAKEN = 92,
};

enum class Evidence : uint8_t {
  PARAMETER = 0,
  STEP = 1,
  SUBMIT = 2,
  DELIVER = 3,
  COMPLETE = 4,
  DOUBT = 5,
  CANCEL = 6,
  POWER = 7,
  CONFIG = 8,
  STATUS = 9,
  CUT = 10,
  RULE = 11,
  STOP = 12,
  REGISTER = 13,
  FATE = 14,
  END = 15,
};

struct Counter {
  const char* name;
  uint8_t code;
  int info;  // code in info, -1 for any
  uint8_t mask;
};
constexpr Counter kCounters[] = {
    {"CRASH", 0x01, -1, 0x00},
    {"AMNESIA", 0x02, -1, 0x00},
    {"SENT_NOP", 0x10, 0, 0xff},
    {"SENT_DATA", 0x10, 1, 0xff},
    {"SENT_ACK", 0x10, 2, 0xff},
    {"SENT_SYNC", 0x10, 5, 0xff},
    {"SENT_SYNC_ACK", 0x10, 6, 0xff},
    {"SENT_COMMIT", 0x10, 8, 0xff},
    {"SENT_DONE", 0x10, 9, 0xff},
    {"SENT_ABORTED", 0x10, 22, 0xff},
    {"SENT_ABORT", 0x10, 23, 0xff},
    {"RECEIVED_NOP", 0x20, 0, 0xff},
    {"RECEIVED_DATA", 0x20, 1, 0xff},
    {"RECEIVED_ACK", 0x20, 2, 0xff},
    {"RECEIVED_SYNC", 0x20, 5, 0xff},
    {"RECEIVED_SYNC_ACK", 0x20, 6, 0xff},
    {"RECEIVED_COMMIT", 0x20, 8, 0xff},
    {"RECEIVED_DONE", 0x20, 9, 0xff},
    {"RECEIVED_ABORTED", 0x20, 22, 0xff},
    {"RECEIVED_ABORT", 0x20, 23, 0xff},
    {"MALFORMED_BAD_FROM_MAC", 0x21, 1, 0xff},
    {"MALFORMED_TOO_SHORT", 0x21, 2, 0xff},
    {"MALFORMED_UNKNOWN_OPERATION", 0x21, 3, 0xff},
    {"MALFORMED_WRONG_BALANCE", 0x21, 4, 0xff},
    {"MALFORMED_UNKNOWN_KIND", 0x21, 5, 0xff},
    {"MALFORMED_BAD_LENGTH", 0x21, 6, 0xff},
    {"MALFORMED_BAD_GUARD", 0x21, 7, 0xff},
    {"MALFORMED_WRONG_LINK_SESSION", 0x21, 8, 0xff},
    {"MALFORMED_WRONG_DIGEST", 0x21, 9, 0xff},
    {"FOREIGN", 0x22, -1, 0x00},
    {"UNSUPPORTED", 0x23, -1, 0x00},
    {"NOT_UP", 0x24, -1, 0x00},
    {"OPENED", 0x30, -1, 0x00},
    {"REFLECTION_HEARD", 0x31, -1, 0x00},
    {"DECIDED", 0x32, -1, 0x00},
    {"MISMATCHED", 0x33, -1, 0x00},
    {"CANCELLED", 0x34, -1, 0x00},
    {"ABORT_CONFIRMED", 0x35, -1, 0x00},
    {"DONE_HEARD", 0x36, -1, 0x00},
    {"REFLECTION_REPEATED", 0x37, -1, 0x00},
    {"RETRIED", 0x38, -1, 0x00},
    {"RESENT", 0x39, -1, 0x00},
    {"TOLD_COMMITTED", 0x3a, 1, 0x03},
    {"TOLD_ABORTED", 0x3a, 2, 0x03},
    {"TOLD_UNKNOWN", 0x3a, 3, 0x03},
    {"ANSWER_IGNORED", 0x3b, -1, 0x00},
    {"INITIATOR_VIOLATION", 0x3c, -1, 0x00},
    {"CANCEL_IGNORED", 0x3d, -1, 0x00},
    {"UNOPENED_TOLD", 0x3e, -1, 0x00},
    {"RECORD_DISCARDED", 0x3f, -1, 0x00},
    {"HELD", 0x40, -1, 0x00},
    {"REFLECTED", 0x41, -1, 0x00},
    {"REFUSED_REFUSED", 0x42, 2, 0xff},
    {"REFUSED_EPOCH", 0x42, 3, 0xff},
    {"REFUSED_NOT_PREPARED", 0x42, 4, 0xff},
    {"COMMIT_HEARD", 0x43, -1, 0x00},
    {"DELIVERED", 0x44, -1, 0x00},
    {"SKIPPED", 0x45, -1, 0x00},
    {"REVERSED", 0x46, -1, 0x00},
    {"ABORT_RECORDED", 0x47, -1, 0x00},
    {"ANSWER_REPEATED", 0x48, -1, 0x00},
    {"DELIVERY_AWAITED", 0x49, -1, 0x00},
    {"BEYOND_WINDOW", 0x4a, -1, 0x00},
    {"BELOW_WINDOW", 0x4b, -1, 0x00},
    {"COMMIT_IGNORED", 0x4c, -1, 0x00},
    {"RESPONDER_VIOLATION", 0x4d, -1, 0x00},
    {"DOUBTED", 0x4e, -1, 0x00},
    {"ENABLED", 0x50, -1, 0x00},
    {"DISABLED", 0x51, -1, 0x00},
    {"SYNC_HEARD", 0x52, -1, 0x00},
    {"SYNC_ACK_HEARD", 0x53, -1, 0x00},
    {"SYNC_ACK_STALE", 0x54, -1, 0x00},
    {"LOOPBACK", 0x55, -1, 0x00},
    {"FOREIGN_SESSION", 0x56, -1, 0x00},
    {"SYNC_DUE", 0x57, -1, 0x00},
    {"INCOMING_DEAD", 0x58, -1, 0x00},
    {"OUTGOING_DEAD", 0x59, -1, 0x00},
    {"SESSION_ADOPTED", 0x5a, -1, 0x00},
    {"PAIR_VIOLATION", 0x5b, -1, 0x00},
    {"EPOCH_TAKEN", 0x5c, -1, 0x00},
};
}  // namespace oae
