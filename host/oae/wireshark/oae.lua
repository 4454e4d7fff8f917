-- Generated from host/oae/spec/link.toml by `make generate`; do not edit.
-- The code below the tables is host/oae/spec/dissector.lua.

local ETHERTYPE = 34997  -- Default EtherType: IEEE 802 local experimental 1.
local MINIMUM_FRAME_BYTES = 60  -- Shortest Ethernet frame without its FCS (IEEE 802.3).
local LENGTH_BASE = 13  -- Payload length of a frame without a record: the header bytes after the length field.
local SYNC_RECORD_BYTES = 32  -- Record length of SYNC and SYNC_ACK.
local OPERATION = {
  [0] = "NOP",
  [1] = "DATA",
  [2] = "ACK",
  [3] = "REQ",
  [4] = "RSP",
  [5] = "SYNC",
  [6] = "SYNC_ACK",
  [7] = "RESET",
  [8] = "COMMIT",
  [9] = "DONE",
  [12] = "JAM",
  [14] = "BEACON",
  [22] = "ABORTED",
  [23] = "ABORT",
}
local BALANCE = {
  [0] = "MINUS_INFINITY",
  [1] = "MINUS_ONE",
  [2] = "MINUS_ZERO",
  [3] = "PLUS_ZERO",
  [4] = "PLUS_ONE",
  [5] = "PLUS_INFINITY",
}
local KIND = {
  [0] = "DATA",
  [1] = "EPOCH_ADVANCE",
}
local STATE = {
  [0] = "IDLE",
  [1] = "TENTATIVE",
  [2] = "REFLECTING",
  [3] = "COMMITTED",
  [4] = "REVERSING",
  [5] = "ABORTED",
}
local LINK_STATE = {
  [0] = "DOWN",
  [1] = "SYNCING",
  [2] = "UP",
  [3] = "FAULT",
}
local OUTCOME = {
  [1] = "COMMITTED",
  [2] = "ABORTED",
  [3] = "UNKNOWN",
}
local ABORT_REASON = {
  [0] = "NONE",
  [1] = "REQUESTED",
  [2] = "REFUSED",
  [3] = "EPOCH",
  [4] = "NOT_PREPARED",
  [5] = "PEER_LOST_MEMORY",
  [6] = "RECORD_TOO_LONG",
  [7] = "RECORD_INVALID",
}
local MALFORMED_REASON = {
  [1] = "BAD_FROM_MAC",
  [2] = "TOO_SHORT",
  [3] = "UNKNOWN_OPERATION",
  [4] = "WRONG_BALANCE",
  [5] = "UNKNOWN_KIND",
  [6] = "BAD_LENGTH",
  [7] = "BAD_GUARD",
  [8] = "WRONG_LINK_SESSION",
  [9] = "WRONG_DIGEST",
}
local CHANNEL = {
  [0] = "POWER",
  [1] = "TRANSMIT",
  [2] = "RECEIVE",
  [3] = "INITIATOR",
  [4] = "RESPONDER",
  [5] = "LINK",
}
local REGISTER = {
  [0] = "IDENTITY",
  [1] = "VERSION",
  [2] = "PARAMETERS",
  [3] = "STATUS",
  [4] = "EPOCH",
  [5] = "CONVERGED",
  [6] = "NEXT_ID",
  [7] = "DELIVER_POINTER",
  [8] = "BALANCE",
  [9] = "NEGOTIATED",
  [64] = "CRASH",
  [65] = "AMNESIA",
  [66] = "SENT_NOP",
  [67] = "SENT_DATA",
  [68] = "SENT_ACK",
  [69] = "SENT_SYNC",
  [70] = "SENT_SYNC_ACK",
  [71] = "SENT_COMMIT",
  [72] = "SENT_DONE",
  [73] = "SENT_ABORTED",
  [74] = "SENT_ABORT",
  [75] = "RECEIVED_NOP",
  [76] = "RECEIVED_DATA",
  [77] = "RECEIVED_ACK",
  [78] = "RECEIVED_SYNC",
  [79] = "RECEIVED_SYNC_ACK",
  [80] = "RECEIVED_COMMIT",
  [81] = "RECEIVED_DONE",
  [82] = "RECEIVED_ABORTED",
  [83] = "RECEIVED_ABORT",
  [84] = "MALFORMED_BAD_FROM_MAC",
  [85] = "MALFORMED_TOO_SHORT",
  [86] = "MALFORMED_UNKNOWN_OPERATION",
  [87] = "MALFORMED_WRONG_BALANCE",
  [88] = "MALFORMED_UNKNOWN_KIND",
  [89] = "MALFORMED_BAD_LENGTH",
  [90] = "MALFORMED_BAD_GUARD",
  [91] = "MALFORMED_WRONG_LINK_SESSION",
  [92] = "MALFORMED_WRONG_DIGEST",
  [93] = "FOREIGN",
  [94] = "UNSUPPORTED",
  [95] = "NOT_UP",
  [96] = "OPENED",
  [97] = "REFLECTION_HEARD",
  [98] = "DECIDED",
  [99] = "MISMATCHED",
  [100] = "CANCELLED",
  [101] = "ABORT_CONFIRMED",
  [102] = "DONE_HEARD",
  [103] = "REFLECTION_REPEATED",
  [104] = "RETRIED",
  [105] = "RESENT",
  [106] = "TOLD_COMMITTED",
  [107] = "TOLD_ABORTED",
  [108] = "TOLD_UNKNOWN",
  [109] = "ANSWER_IGNORED",
  [110] = "INITIATOR_VIOLATION",
  [111] = "CANCEL_IGNORED",
  [112] = "UNOPENED_TOLD",
  [113] = "RECORD_DISCARDED",
  [114] = "HELD",
  [115] = "REFLECTED",
  [116] = "REFUSED_REFUSED",
  [117] = "REFUSED_EPOCH",
  [118] = "REFUSED_NOT_PREPARED",
  [119] = "COMMIT_HEARD",
  [120] = "DELIVERED",
  [121] = "SKIPPED",
  [122] = "REVERSED",
  [123] = "ABORT_RECORDED",
  [124] = "ANSWER_REPEATED",
  [125] = "DELIVERY_AWAITED",
  [126] = "BEYOND_WINDOW",
  [127] = "BELOW_WINDOW",
  [128] = "COMMIT_IGNORED",
  [129] = "RESPONDER_VIOLATION",
  [130] = "DOUBTED",
  [131] = "ENABLED",
  [132] = "DISABLED",
  [133] = "SYNC_HEARD",
  [134] = "SYNC_ACK_HEARD",
  [135] = "SYNC_ACK_STALE",
  [136] = "LOOPBACK",
  [137] = "FOREIGN_SESSION",
  [138] = "SYNC_DUE",
  [139] = "INCOMING_DEAD",
  [140] = "OUTGOING_DEAD",
  [141] = "SESSION_ADOPTED",
  [142] = "PAIR_VIOLATION",
  [143] = "EPOCH_TAKEN",
}
local CARRIES = {
  [0] = "guard",
  [1] = "record",
  [2] = "guard",
  [3] = "nothing",
  [4] = "nothing",
  [5] = "sync",
  [6] = "sync",
  [7] = "nothing",
  [8] = "guard",
  [9] = "guard",
  [12] = "nothing",
  [14] = "nothing",
  [22] = "guard",
  [23] = "guard",
}
local BALANCE_OF = {
  [0] = 3,
  [1] = 4,
  [2] = 3,
  [3] = 1,
  [4] = 3,
  [5] = 3,
  [6] = 2,
  [7] = 3,
  [8] = 4,
  [9] = 2,
  [12] = 2,
  [14] = 3,
  [22] = 3,
  [23] = 3,
}
local FIELD = {
  destination = {name = "destination", offset = 0, bytes = 6, text = "destination MAC address; written, never trusted"},
  source = {name = "source", offset = 6, bytes = 6, text = "source MAC address; written, never trusted"},
  ethertype = {name = "ethertype", offset = 12, bytes = 2, text = "EtherType; any other value makes the frame foreign"},
  operation = {name = "operation", offset = 14, bytes = 1, text = "balance [7:5], operation [4:0]"},
  id_low = {name = "id_low", offset = 15, bytes = 2, text = "transaction id, low 16 bits"},
  length = {name = "length", offset = 17, bytes = 2, text = "payload length: bytes after this field, padding excluded (13 + record length)"},
  link_session = {name = "link_session", offset = 19, bytes = 4, text = "CRC-32C of (sender's session, receiver's session), 0 replaced by 1; 0 in SYNC and SYNC_ACK"},
  kind = {name = "kind", offset = 23, bytes = 1, text = "what the record is (DATA); zero in every other operation"},
  id_high = {name = "id_high", offset = 24, bytes = 2, text = "transaction id, high 16 bits"},
  epoch = {name = "epoch", offset = 26, bytes = 2, text = "sender's epoch, low 16 bits (DATA); zero in every other operation"},
  digest = {name = "digest", offset = 28, bytes = 4, text = "digest of the transaction; its complement in ABORT and ABORTED; zero in NOP"},
  operand = {name = "operand", offset = 32, bytes = 4, text = "guard frames: the operation's own word, see the guard"},
  guard_zero = {name = "guard_zero", offset = 36, bytes = 2, text = "guard frames: zero"},
  guard = {name = "guard", offset = 38, bytes = 22, text = "guard frames: complement of bytes 14..35, the same bus lane three slices later"},
}
local SYNC_FIELDS = {
  {name = "session", offset = 0, bytes = 8, text = "sender's session"},
  {name = "verified", offset = 8, bytes = 8, text = "session that the sender has verified for its peer, 0 for none"},
  {name = "challenger", offset = 16, bytes = 8, text = "SYNC_ACK: session of the SYNC that is answered; SYNC: zero"},
  {name = "counter", offset = 24, bytes = 4, text = "challenge counter; SYNC_ACK repeats the one that it answers"},
  {name = "record_max", offset = 28, bytes = 2, text = "sender's RECORD_MAX in bytes"},
  {name = "window", offset = 30, bytes = 1, text = "sender's WINDOW in slots"},
  {name = "zero", offset = 31, bytes = 1, text = "zero"},
}
local EVIDENCE_HEAD = {
  {name = "version", offset = 0, bytes = 1, text = "1"},
  {name = "type", offset = 1, bytes = 1, text = "type of the evidence"},
  {name = "end", offset = 2, bytes = 1, text = "0 a, 1 b, 255 the bench itself"},
  {name = "channel", offset = 3, bytes = 1, text = "channel of a STEP, else zero"},
  {name = "sequence", offset = 4, bytes = 4, text = "counts the evidence packets of a run from 0: a gap is what the capture lost"},
  {name = "cycle", offset = 8, bytes = 8, text = "clock cycle whose edge took it"},
}
-- Fields in their order after the head; a tail reaches to the packet's end.
local EVIDENCE = {
  [0] = {name = "PARAMETER", tail = "text", text = "what the run was built with: name=value", fields = {}},
  [1] = {name = "STEP", text = "one event word", fields = {{name = "word", bytes = 8}}},
  [2] = {name = "SUBMIT", tail = "record", text = "the host gave a record; flags: 1 marked bad, 2 broken by a restart", fields = {{name = "first", bytes = 8}, {name = "tag", bytes = 2}, {name = "kind", bytes = 1}, {name = "flags", bytes = 1}}},
  [3] = {name = "DELIVER", tail = "record", text = "the host took a record; flags as in SUBMIT", fields = {{name = "first", bytes = 8}, {name = "id", bytes = 4}, {name = "flags", bytes = 1}}},
  [4] = {name = "COMPLETE", text = "the host took a completion", fields = {{name = "id", bytes = 4}, {name = "tag", bytes = 2}, {name = "kind", bytes = 1}, {name = "outcome", bytes = 1}, {name = "reason", bytes = 1}}},
  [5] = {name = "DOUBT", text = "the host took a doubt word", fields = {{name = "id", bytes = 4}, {name = "digest", bytes = 4}}},
  [6] = {name = "CANCEL", text = "the end took a cancel", fields = {{name = "tag", bytes = 2}}},
  [7] = {name = "POWER", text = "levels of the inputs crash and amnesia from here on", fields = {{name = "crash", bytes = 1}, {name = "amnesia", bytes = 1}}},
  [8] = {name = "CONFIG", text = "the inputs cfg_* from here on", fields = {{name = "enable", bytes = 1}, {name = "beats", bytes = 1}, {name = "accept", bytes = 1}, {name = "session", bytes = 8}, {name = "epoch", bytes = 4}, {name = "prepared", bytes = 4}}},
  [9] = {name = "STATUS", text = "the outputs status_* from here on", fields = {{name = "link_state", bytes = 1}, {name = "incoming", bytes = 1}, {name = "outgoing", bytes = 1}, {name = "changing", bytes = 1}, {name = "epoch", bytes = 4}, {name = "converged", bytes = 4}, {name = "initiator_balance", bytes = 1}, {name = "responder_balance", bytes = 1}}},
  [10] = {name = "CUT", text = "whether the direction away from the end is cut from here on", fields = {{name = "cut", bytes = 1}}},
  [11] = {name = "RULE", text = "a fault rule fired", fields = {{name = "number", bytes = 4}}},
  [12] = {name = "STOP", tail = "text", text = "the run ended, and why; what follows is no part of the experiment", fields = {}},
  [13] = {name = "REGISTER", text = "a register of the end, read after the run", fields = {{name = "address", bytes = 1}, {name = "value", bytes = 4}}},
  [14] = {name = "FATE", text = "what the channel did to the frame of this number that the end transmitted; rule 65535: chance. Untouched frames have none", fields = {{name = "number", bytes = 4}, {name = "operation", bytes = 1}, {name = "id", bytes = 4}, {name = "copy", bytes = 4}, {name = "faults", bytes = 2}, {name = "rule", bytes = 2}}},
  [15] = {name = "END", text = "the last one: without it the capture is cut off", fields = {}},
}
-- What the states of an event are, and what stands in its info and value.
local EVENT = {
  [0x01] = {name = "CRASH", text = "volatile state lost"},
  [0x02] = {name = "AMNESIA", text = "all state lost"},
  [0x10] = {name = "SENT", text = "a frame was handed to the builder", info = "operation", value = "id; beat number (NOP); challenge counter (SYNC, SYNC_ACK)"},
  [0x20] = {name = "RECEIVED", text = "a frame was verified whole and passed on", info = "operation", value = "id; {echo wanted, number, echo valid, echo} (NOP); challenge counter (SYNC, SYNC_ACK)"},
  [0x21] = {name = "MALFORMED", text = "a frame failed a test", info = "malformed reason"},
  [0x22] = {name = "FOREIGN", text = "a frame of another EtherType", value = "EtherType"},
  [0x23] = {name = "UNSUPPORTED", text = "a reserved operation", info = "operation"},
  [0x24] = {name = "NOT_UP", text = "a well-formed frame other than SYNC and SYNC_ACK while the link is not UP", info = "operation", value = "id"},
  [0x30] = {name = "OPENED", text = "a record became a transaction", states = "state", info = "kind", value = "id"},
  [0x31] = {name = "REFLECTION_HEARD", text = "ACK for a TENTATIVE slot", states = "state", info = "1 if the digest matches", value = "id"},
  [0x32] = {name = "DECIDED", text = "reflection equal: the decision is recorded", states = "state", value = "id"},
  [0x33] = {name = "MISMATCHED", text = "reflection unequal: the transaction is taken back", states = "state", value = "id"},
  [0x34] = {name = "CANCELLED", text = "the host took the transaction back", states = "state", value = "id"},
  [0x35] = {name = "ABORT_CONFIRMED", text = "ABORTED with the slot's digest", states = "state", info = "abort reason", value = "id"},
  [0x36] = {name = "DONE_HEARD", text = "DONE with the slot's digest", states = "state", value = "id"},
  [0x37] = {name = "REFLECTION_REPEATED", text = "ACK for a COMMITTED slot: COMMIT goes again", states = "state", value = "id"},
  [0x38] = {name = "RETRIED", text = "an echo proved the answer overdue: the frame goes again", states = "state", value = "id"},
  [0x39] = {name = "RESENT", text = "every waiting slot sends once"},
  [0x3a] = {name = "TOLD", text = "the host took the completion; the slot is free", states = "state", info = "abort reason [7:2], outcome [1:0]", value = "id"},
  [0x3b] = {name = "ANSWER_IGNORED", text = "ACK, DONE or ABORTED that answers nothing", info = "operation", value = "id"},
  [0x3c] = {name = "INITIATOR_VIOLATION", text = "an answer that a correct peer cannot send; ignored", info = "operation", value = "id"},
  [0x3d] = {name = "CANCEL_IGNORED", text = "no TENTATIVE transaction has this tag", value = "tag"},
  [0x3e] = {name = "UNOPENED_TOLD", text = "a record that can be no transaction was told ABORTED", info = "abort reason [7:2], outcome [1:0]", value = "tag"},
  [0x3f] = {name = "RECORD_DISCARDED", text = "tuser at the record's last beat: it never existed", value = "tag"},
  [0x40] = {name = "HELD", text = "DATA accepted", states = "state", info = "kind", value = "id"},
  [0x41] = {name = "REFLECTED", text = "the record is held; ACK is due", states = "state", value = "id"},
  [0x42] = {name = "REFUSED", text = "DATA refused; the refusal is recorded", states = "state", info = "abort reason", value = "id"},
  [0x43] = {name = "COMMIT_HEARD", text = "COMMIT with the slot's digest", states = "state", value = "id"},
  [0x44] = {name = "DELIVERED", text = "the host took the record's last beat (or the epoch advance took effect)", states = "state", info = "kind", value = "id"},
  [0x45] = {name = "SKIPPED", text = "the deliver pointer passed an id that is not to be delivered", value = "id"},
  [0x46] = {name = "REVERSED", text = "ABORT heard", states = "state", value = "id"},
  [0x47] = {name = "ABORT_RECORDED", text = "the abort is recorded, the record discarded; ABORTED is due", states = "state", value = "id"},
  [0x48] = {name = "ANSWER_REPEATED", text = "a frame again: its answer is due again", states = "state", info = "operation", value = "id"},
  [0x49] = {name = "DELIVERY_AWAITED", text = "a frame for a committed record that is not delivered yet: no answer", states = "state", info = "operation", value = "id"},
  [0x4a] = {name = "BEYOND_WINDOW", text = "id at or beyond the deliver pointer + WINDOW: dropped", info = "operation", value = "id"},
  [0x4b] = {name = "BELOW_WINDOW", text = "id below the deliver pointer that its slot no longer names: dropped", info = "operation", value = "id"},
  [0x4c] = {name = "COMMIT_IGNORED", text = "COMMIT for an id never seen", info = "operation", value = "id"},
  [0x4d] = {name = "RESPONDER_VIOLATION", text = "a frame that a correct peer cannot send; ignored", info = "operation", value = "id"},
  [0x4e] = {name = "DOUBTED", text = "a reflected record was discarded in doubt", states = "state", value = "id"},
  [0x50] = {name = "ENABLED", text = "enabled, or restarted while enabled: a challenge starts", states = "link_state"},
  [0x51] = {name = "DISABLED", text = "disabled by the host", states = "link_state"},
  [0x52] = {name = "SYNC_HEARD", text = "a challenge: SYNC_ACK is due", states = "link_state", info = "1 if it also starts a challenge", value = "challenge counter"},
  [0x53] = {name = "SYNC_ACK_HEARD", text = "my outstanding challenge is answered", states = "link_state", info = "1 if a changed session is now pending", value = "challenge counter"},
  [0x54] = {name = "SYNC_ACK_STALE", text = "SYNC_ACK that answers no outstanding challenge", states = "link_state", value = "challenge counter"},
  [0x55] = {name = "LOOPBACK", text = "SYNC or SYNC_ACK with my own session", states = "link_state", info = "operation"},
  [0x56] = {name = "FOREIGN_SESSION", text = "a frame of another link session while UP: a challenge starts", states = "link_state"},
  [0x57] = {name = "SYNC_DUE", text = "SYNC_INTERVAL passed without an answer: SYNC goes again", states = "link_state", value = "challenge counter"},
  [0x58] = {name = "INCOMING_DEAD", text = "nothing valid heard for FAULT_BEATS intervals", states = "link_state"},
  [0x59] = {name = "OUTGOING_DEAD", text = "FAULT_BEATS beats wanted an echo and none advanced", states = "link_state"},
  [0x5a] = {name = "SESSION_ADOPTED", text = "drained: the pending session is verified, ids start at 0", states = "link_state", value = "low half of the peer's session"},
  [0x5b] = {name = "PAIR_VIOLATION", text = "SYNC of the verified session with another WINDOW or record maximum", states = "link_state"},
  [0x5c] = {name = "EPOCH_TAKEN", text = "the end took its host's epoch", states = "link_state", value = "epoch"},
}

-- Wireshark's dissectors of the link's frames and of the evidence in a capture (docs/wireshark.md).
-- `oae.lua`, which Wireshark loads, is the tables of link.toml and this.

local band, bor, bnot, bxor = bit.band, bit.bor, bit.bnot, bit.bxor
local lshift, rshift, bswap = bit.lshift, bit.rshift, bit.bswap

-- Shown in hexadecimal; every other number is decimal.
local IN_HEX = {
  ethertype = true, link_session = true, digest = true, operand = true, session = true,
  verified = true, challenger = true, word = true, faults = true, address = true,
}
-- Names of the values of a field.
local VALUES = {
  kind = KIND, outcome = OUTCOME, reason = ABORT_REASON, link_state = LINK_STATE,
  operation = OPERATION, channel = CHANNEL, address = REGISTER,
  initiator_balance = BALANCE, responder_balance = BALANCE,
  ["end"] = {[0] = "a", [1] = "b", [255] = "-"},
}
local OF_SIZE = {
  [1] = ProtoField.uint8, [2] = ProtoField.uint16, [4] = ProtoField.uint32, [8] = ProtoField.uint64,
}

local function title(name)
  local words = name:gsub("_", " ")
  return words:sub(1, 1):upper() .. words:sub(2)
end

-- A number field of a row of a table, named after it.
local function number_field(prefix, row, values)
  local base_of = IN_HEX[row.name] and base.HEX or base.DEC
  return OF_SIZE[row.bytes](prefix .. row.name, title(row.name), base_of, values, nil, row.text)
end

local function register_fields(protocol, fields)
  local all = {}
  for _, field in pairs(fields) do
    all[#all + 1] = field
  end
  protocol.fields = all
end

-- ------------------------------------------------------------------------------------- digest

local CRC, CRC_BACK = {}, {}
for index = 0, 255 do
  local register = index
  for _ = 1, 8 do
    register = bxor(rshift(register, 1), band(-band(register, 1), 0x82f63b78))
  end
  CRC[index] = register
  CRC_BACK[rshift(register, 24)] = index
end

local function crc_after(register, text)
  for at = 1, #text do
    register = bxor(rshift(register, 8), CRC[band(bxor(register, text:byte(at)), 0xff)])
  end
  return register
end

-- A frame bears half of the sender's epoch, the digest covers the whole one in its last four bytes.
-- Exactly one epoch makes a digest right: the CRC is run back from the digest, over four bytes.
local function epoch_of(digest, register_before)
  local register = bnot(digest)
  for _ = 1, 4 do
    local index = CRC_BACK[rshift(register, 24)]
    register = bor(lshift(bxor(register, CRC[index]), 8), index)
  end
  return bswap(bxor(register, register_before)) % 0x100000000
end

-- ------------------------------------------------------------------------------------- frames

local oae = Proto("oae", "Open Atomic Ethernet link")

local function header_field(name, values)
  return number_field("oae.", FIELD[name], values)
end

local STATUS = {[0] = "Bad", [1] = "Good", [2] = "Unverified"}
local BAD, GOOD, UNVERIFIED = 0, 1, 2

local f = {
  balance = ProtoField.uint8("oae.balance", "Balance", base.DEC, BALANCE, 0xe0),
  operation = ProtoField.uint8("oae.operation", "Operation", base.DEC, OPERATION, 0x1f),
  id = ProtoField.uint32("oae.id", "Id", base.DEC, nil, nil, "transaction id"),
  id_low = header_field("id_low"),
  id_high = header_field("id_high"),
  length = header_field("length"),
  link_session = header_field("link_session"),
  kind = header_field("kind", KIND),
  epoch = header_field("epoch"),
  whole_epoch = ProtoField.uint32("oae.whole_epoch", "Whole epoch", base.DEC, nil, nil,
    "the epoch of the sender with which the digest is right"),
  digest = ProtoField.uint32("oae.digest", "Digest", base.HEX, nil, nil,
    "digest of the transaction; its complement stands in ABORT and ABORTED"),
  digest_status = ProtoField.uint8("oae.digest.status", "Digest status", base.DEC, STATUS),
  operand = header_field("operand"),
  echo_wanted = ProtoField.bool("oae.echo_wanted", "Echo wanted", 32, nil, 0x80000000),
  beat = ProtoField.uint32("oae.beat", "Beat", base.DEC, nil, 0x7fff0000, "number of the beat"),
  echo_valid = ProtoField.bool("oae.echo_valid", "Echo valid", 32, nil, 0x00008000),
  echo = ProtoField.uint32("oae.echo", "Echo", base.DEC, nil, 0x00007fff, "number heard last"),
  reason = ProtoField.uint32("oae.reason", "Reason", base.DEC, ABORT_REASON, 0xff000000),
  guard_zero = header_field("guard_zero"),
  guard = ProtoField.bytes("oae.guard", "Guard", base.NONE, FIELD.guard.text),
  guard_status = ProtoField.uint8("oae.guard.status", "Guard status", base.DEC, STATUS),
  record = ProtoField.bytes("oae.record", "Record"),
  record_bytes = ProtoField.uint32("oae.record.bytes", "Record bytes"),
  advance = ProtoField.uint32("oae.advance", "Epoch to converge on"),
  padding = ProtoField.bytes("oae.padding", "Padding"),
  malformed = ProtoField.uint8("oae.malformed", "Malformed", base.DEC, MALFORMED_REASON, nil,
    "the first test that the frame fails"),
  data_in = ProtoField.framenum("oae.data_in", "DATA in", base.NONE, frametype.REQUEST),
  ack_in = ProtoField.framenum("oae.ack_in", "ACK in", base.NONE, frametype.ACK),
  commit_in = ProtoField.framenum("oae.commit_in", "COMMIT in", base.NONE, frametype.REQUEST),
  done_in = ProtoField.framenum("oae.done_in", "DONE in", base.NONE, frametype.RESPONSE),
  abort_in = ProtoField.framenum("oae.abort_in", "ABORT in", base.NONE, frametype.REQUEST),
  aborted_in = ProtoField.framenum("oae.aborted_in", "ABORTED in", base.NONE, frametype.RESPONSE),
  again_of = ProtoField.framenum("oae.again_of", "The same as in", base.NONE, frametype.DUP_ACK),
  time = ProtoField.relative_time("oae.time", "Time since DATA"),
}
local IN_FRAME = {
  {"DATA", f.data_in}, {"ACK", f.ack_in}, {"COMMIT", f.commit_in},
  {"DONE", f.done_in}, {"ABORT", f.abort_in}, {"ABORTED", f.aborted_in},
}
local sync_fields, sync_row = {}, {}
for _, row in ipairs(SYNC_FIELDS) do
  sync_row[row.name] = row
  sync_fields[row.name] = number_field("oae.sync.", row)
  f["sync_" .. row.name] = sync_fields[row.name]
end
register_fields(oae, f)

local MALFORMED_CODE = {}
local unsupported = ProtoExpert.new("oae.unsupported", "Reserved operation",
  expert.group.UNDECODED, expert.severity.WARN)
local snapped = ProtoExpert.new("oae.snapped", "Cut short by the snap length: not verified whole",
  expert.group.UNDECODED, expert.severity.NOTE)
local malformed, experts = {}, {unsupported, snapped}
for code, name in pairs(MALFORMED_REASON) do
  malformed[name] = ProtoExpert.new("oae.malformed." .. name:lower(), "Malformed: " .. name,
    expert.group.MALFORMED, expert.severity.ERROR)
  experts[#experts + 1] = malformed[name]
  MALFORMED_CODE[name] = code
end
oae.experts = experts

oae.prefs.ethertype = Pref.uint("EtherType", ETHERTYPE, "EtherType of the link's frames")

local crc_error = Field.new("frame.packet_flags_crc_error")
local interface_id = Field.new("frame.interface_id")
local time_relative = Field.new("frame.time_relative")

local function value_of(extractor)
  local found = extractor()
  return found and found.value
end

-- The tables count from the frame's first byte, a dissector gets what follows the EtherType.
local BEFORE = FIELD.operation.offset
local HEADER_BYTES = FIELD.operand.offset - BEFORE
local LENGTH_END = HEADER_BYTES - LENGTH_BASE
local GUARD = FIELD.guard.offset - BEFORE

-- Bytes of a field, or nil where the capture has cut them off.
local function range_of(tvb, place)
  local offset = place.offset - BEFORE
  if offset + place.bytes <= tvb:len() then
    return tvb(offset, place.bytes)
  end
end

local function bytes_of(tvb, place)
  return tvb:raw(place.offset - BEFORE, place.bytes)
end

local function length_possible(frame, reported)
  if frame.carries == "guard" then
    return frame.length == LENGTH_BASE
  elseif LENGTH_END + frame.length > reported then
    return false
  elseif frame.carries == "sync" then
    return frame.length == LENGTH_BASE + SYNC_RECORD_BYTES
  end
  return frame.carries == "record" and frame.length > LENGTH_BASE
end

local function guard_status(tvb)
  if tvb:len() < GUARD + FIELD.guard.bytes then
    return UNVERIFIED
  end
  local guarded, guard = tvb:raw(0, FIELD.guard.bytes), bytes_of(tvb, FIELD.guard)
  for at = 1, #guard do
    if guarded:byte(at) + guard:byte(at) ~= 0xff then
      return BAD
    end
  end
  return range_of(tvb, FIELD.guard_zero):uint() == 0 and GOOD or BAD
end

-- Whether the digest is that of the record and its place, and the sender's epoch if it is.
local function digest_status(tvb, frame)
  if HEADER_BYTES + frame.record_bytes > tvb:len() then
    return UNVERIFIED
  end
  local register = crc_after(0xffffffff, tvb:raw(HEADER_BYTES, frame.record_bytes)
    .. string.rep("\0", -frame.record_bytes % 8)
    .. bytes_of(tvb, FIELD.link_session) .. bytes_of(tvb, FIELD.id_high)
    .. bytes_of(tvb, FIELD.id_low) .. bytes_of(tvb, FIELD.kind)
    .. string.char(0, rshift(frame.record_bytes, 8), band(frame.record_bytes, 0xff)))
  local epoch = epoch_of(frame.digest, register)
  if frame.carries == "record" and epoch % 0x10000 == frame.epoch then
    return GOOD, epoch
  end
  return epoch == frame.epoch and GOOD or BAD
end

-- What stands in the frame, or nil if its header is not there whole.
local function read(tvb)
  if tvb:len() < HEADER_BYTES then
    return nil
  end
  local function number(name)
    return range_of(tvb, FIELD[name]):uint()
  end
  local first = range_of(tvb, FIELD.operation)
  local operation = first:bitfield(3, 5)
  local frame = {
    operation = operation,
    name = OPERATION[operation],
    carries = CARRIES[operation],
    balance = first:bitfield(0, 3),
    id = number("id_high") * 0x10000 + number("id_low"),
    length = number("length"),
    session = number("link_session"),
    kind = number("kind"),
    epoch = number("epoch"),
    digest = number("digest"),
  }
  if frame.name == "ABORT" or frame.name == "ABORTED" then
    frame.digest = 0xffffffff - frame.digest
  end
  frame.length_possible = length_possible(frame, tvb:reported_len())
  if frame.carries == "guard" then
    frame.guard_status = guard_status(tvb)
  elseif frame.length_possible then
    frame.record_bytes = frame.length - LENGTH_BASE
    frame.digest_status, frame.whole_epoch = digest_status(tvb, frame)
  end
  return frame
end

local function kind_known(frame)
  return frame.kind == 0 or frame.name == "DATA" and KIND[frame.kind] ~= nil
end

-- The first test that a frame fails, in the order of docs/protocol.md, section 2. What a receiver
-- knows of its own link (session, record maximum, whether it is up) is not tested.
local function first_failure(frame, reported)
  if value_of(crc_error) then
    return "BAD_FROM_MAC"
  elseif BEFORE + reported < MINIMUM_FRAME_BYTES then
    return "TOO_SHORT"
  elseif not frame then
    return nil
  elseif not frame.name then
    return "UNKNOWN_OPERATION"
  elseif frame.carries == "nothing" then
    return nil
  elseif frame.balance ~= BALANCE_OF[frame.operation] then
    return "WRONG_BALANCE"
  elseif not kind_known(frame) then
    return "UNKNOWN_KIND"
  elseif not frame.length_possible then
    return "BAD_LENGTH"
  elseif frame.guard_status == BAD then
    return "BAD_GUARD"
  elseif frame.carries == "sync" and frame.session ~= 0 then
    return "WRONG_LINK_SESSION"
  elseif frame.digest_status == BAD then
    return "WRONG_DIGEST"
  end
end

-- Frames of a transaction share its id and digest, in both directions; the link session differs.
-- `seen` tells what came before on the same interface, `noted` what was found out about each frame.
local transactions, seen, noted

function oae.init()
  transactions, seen, noted = {}, {}, {}
end

local function note(pinfo, frame)
  if noted[pinfo.number] then
    return noted[pinfo.number]
  end
  local place = frame.id .. "/" .. frame.digest
  local copy = frame.operation .. "/" .. place .. "/" .. (value_of(interface_id) or 0)
  local found = {again_of = seen[copy]}
  seen[copy] = seen[copy] or pinfo.number
  if frame.carries ~= "sync" then
    local transaction = transactions[place] or {first = {}}
    transactions[place] = transaction
    found.transaction = transaction
    transaction.first[frame.name] = transaction.first[frame.name] or pinfo.number
    if frame.name == "DATA" then
      transaction.time = transaction.time or value_of(time_relative)
    end
  end
  noted[pinfo.number] = found
  return found
end

local function show_transaction(tree, pinfo, found)
  if found.again_of then
    tree:add(f.again_of, found.again_of):set_generated()
  end
  local transaction = found.transaction
  if not transaction then
    return
  end
  for _, link in ipairs(IN_FRAME) do
    local number = transaction.first[link[1]]
    if number and number ~= pinfo.number then
      tree:add(link[2], number):set_generated()
    end
  end
  local now = value_of(time_relative)
  if transaction.time and now and transaction.first.DATA ~= pinfo.number then
    tree:add(f.time, now - transaction.time):set_generated()
  end
end

local HEADER = {
  "balance", "operation", "id_low", "length", "link_session", "kind", "id_high", "epoch", "digest",
}

local function show_header(tree, tvb, frame)
  for _, name in ipairs(HEADER) do
    local place = FIELD[name == "balance" and "operation" or name]
    local range = range_of(tvb, place)
    if not range then
      return
    elseif name == "digest" then
      local item = tree:add(f.digest, range, frame.digest)
      if frame.digest ~= range:uint() then
        item:append_text(" (complemented on the wire)")
      end
    elseif name == "id_low" and frame then
      tree:add(f.id, range, frame.id):add(f.id_low, range)
    else
      tree:add(f[name], range)
    end
  end
end

local function show_guarded(tree, tvb, frame)
  local operand = range_of(tvb, FIELD.operand)
  if operand and frame.name == "NOP" then
    for _, field in ipairs({f.echo_wanted, f.beat, f.echo_valid, f.echo}) do
      tree:add(field, operand)
    end
  elseif operand and frame.name == "ABORTED" then
    tree:add(f.reason, operand)
  elseif operand then
    tree:add(f.operand, operand)
  end
  for _, name in ipairs({"guard_zero", "guard"}) do
    local range = range_of(tvb, FIELD[name])
    if range then
      tree:add(f[name], range)
    end
  end
  tree:add(f.guard_status, frame.guard_status):set_generated()
end

local function show_record(tree, tvb, frame)
  tree:add(f.digest_status, frame.digest_status):set_generated()
  if frame.whole_epoch then
    tree:add(f.whole_epoch, frame.whole_epoch):set_generated()
  end
  local there = math.min(frame.record_bytes, tvb:len() - HEADER_BYTES)
  if frame.carries == "sync" and there == SYNC_RECORD_BYTES then
    for _, row in ipairs(SYNC_FIELDS) do
      tree:add(sync_fields[row.name], tvb(HEADER_BYTES + row.offset, row.bytes))
    end
  elseif frame.carries == "record" then
    tree:add(f.record_bytes, frame.record_bytes):set_generated()
    if there > 0 then
      tree:add(f.record, tvb(HEADER_BYTES, there))
    end
    if KIND[frame.kind] == "EPOCH_ADVANCE" and frame.record_bytes == 4 and there == 4 then
      tree:add(f.advance, tvb(HEADER_BYTES, 4))
    end
  end
end

local function show_padding(tree, tvb, frame)
  local used = GUARD + FIELD.guard.bytes
  if frame.record_bytes then
    used = HEADER_BYTES + frame.record_bytes
  end
  if used < tvb:len() then
    tree:add(f.padding, tvb(used))
  end
end

local function summary_of(tvb, frame)
  if not frame.name then
    return "operation " .. frame.operation
  end
  local session = string.format(", session %08x", frame.session)
  local operand = range_of(tvb, FIELD.operand)
  if frame.name == "NOP" and operand then
    local wanted, beat = operand:bitfield(0, 1), operand:bitfield(1, 15)
    local valid, echo = operand:bitfield(16, 1), operand:bitfield(17, 15)
    return "NOP beat " .. beat .. (valid == 1 and ", echo " .. echo or "")
      .. (wanted == 1 and ", echo wanted" or "") .. session
  elseif frame.carries == "sync" and frame.digest_status ~= UNVERIFIED and frame.record_bytes then
    local function value(name)
      return tvb(HEADER_BYTES + sync_row[name].offset, sync_row[name].bytes)
    end
    return string.format("%s counter %d, session %s, verified %s, window %d, record maximum %d",
      frame.name, value("counter"):uint(), value("session"):bytes():tohex(true),
      value("verified"):bytes():tohex(true), value("window"):uint(), value("record_max"):uint())
  end
  local text = frame.name .. " id " .. frame.id
  if frame.name == "DATA" and frame.record_bytes then
    local kind = KIND[frame.kind] ~= "DATA" and KIND[frame.kind]
    text = text .. ", " .. frame.record_bytes .. " bytes" .. (kind and ", " .. kind or "")
  elseif frame.name == "ABORTED" and operand then
    local reason = operand:bitfield(0, 8)
    text = text .. ", " .. (ABORT_REASON[reason] or "reason " .. reason)
  end
  return text .. session
end

function oae.dissector(tvb, pinfo, tree)
  pinfo.cols.protocol = "OAE"
  local subtree = tree:add(oae, tvb())
  local frame = read(tvb)
  local reason = first_failure(frame, tvb:reported_len())
  local summary = "cut short"
  show_header(subtree, tvb, frame)
  if frame then
    summary = summary_of(tvb, frame)
    if frame.guard_status then
      show_guarded(subtree, tvb, frame)
    elseif frame.record_bytes then
      show_record(subtree, tvb, frame)
    end
    show_padding(subtree, tvb, frame)
  end
  if reason then
    local item = subtree:add(f.malformed, MALFORMED_CODE[reason]):set_generated()
    item:add_proto_expert_info(malformed[reason])
    summary = "[malformed: " .. reason .. "] " .. summary
  elseif frame and frame.carries == "nothing" then
    subtree:add_proto_expert_info(unsupported)
    summary = "[reserved] " .. summary
  else
    if not frame or (frame.guard_status or frame.digest_status) == UNVERIFIED then
      subtree:add_proto_expert_info(snapped)
    end
    if frame and frame.name ~= "NOP" then
      local found = note(pinfo, frame)
      show_transaction(subtree, pinfo, found)
      summary = summary .. (found.again_of and " [again]" or "")
    end
  end
  pinfo.cols.info = summary
  subtree:append_text(", " .. summary)
end

local ethertypes = DissectorTable.get("ethertype")
local registered = ETHERTYPE
ethertypes:add(registered, oae)

function oae.prefs_changed()
  if registered ~= oae.prefs.ethertype then
    ethertypes:remove(registered, oae)
    registered = oae.prefs.ethertype
    ethertypes:add(registered, oae)
  end
end

-- ---------------------------------------------------------------------------------- evidence

local evidence = Proto("oae.evidence", "OAE evidence")

local HEAD_BYTES = 0
local TYPES, EVENT_NAME = {}, {}
for code, event in pairs(EVENT) do
  EVENT_NAME[code] = event.name
end
local e = {
  event = ProtoField.uint8("oae.evidence.event", "Event", base.HEX, EVENT_NAME),
  slot = ProtoField.uint8("oae.evidence.slot", "Slot"),
  from = ProtoField.uint8("oae.evidence.from", "From", base.DEC, nil, 0xf0),
  to = ProtoField.uint8("oae.evidence.to", "To", base.DEC, nil, 0x0f),
  info = ProtoField.uint8("oae.evidence.info", "Info"),
  text = ProtoField.string("oae.evidence.text", "Text"),
  record = ProtoField.bytes("oae.evidence.record", "Record"),
  lost = ProtoField.uint32("oae.evidence.lost", "Evidence packets lost before this one"),
}
for code, kind in pairs(EVIDENCE) do
  TYPES[code] = kind.name
  for _, row in ipairs(kind.fields) do
    e[row.name] = e[row.name] or number_field("oae.evidence.", row, VALUES[row.name])
  end
end
VALUES.type = TYPES
for _, row in ipairs(EVIDENCE_HEAD) do
  e[row.name] = number_field("oae.evidence.", row, VALUES[row.name])
  HEAD_BYTES = HEAD_BYTES + row.bytes
end
register_fields(evidence, e)

local unknown_type = ProtoExpert.new("oae.evidence.unknown_type", "Unknown type of evidence",
  expert.group.UNDECODED, expert.severity.WARN)
local too_short = ProtoExpert.new("oae.evidence.too_short", "The packet is cut short",
  expert.group.MALFORMED, expert.severity.ERROR)
local packets_lost = ProtoExpert.new("oae.evidence.gap", "Evidence packets are lost",
  expert.group.SEQUENCE, expert.severity.WARN)
evidence.experts = {unknown_type, too_short, packets_lost}

-- Number that the next packet should have, and how many are missing before each.
local next_sequence, lost

function evidence.init()
  next_sequence, lost = nil, {}
end

local function text_of(name, range)
  local values = VALUES[name]
  if values then
    return values[range:uint()] or tostring(range:uint())
  elseif IN_HEX[name] then
    return range:bytes():tohex(true)
  end
  return tostring(range:uint64())
end

local function outcome_and_reason(byte)
  local outcome, reason = byte:bitfield(6, 2), byte:bitfield(0, 6)
  local name = OUTCOME[outcome] or "outcome " .. outcome
  return reason == 0 and name or name .. " " .. (ABORT_REASON[reason] or "reason " .. reason)
end

-- How to read the info of an event, by what link.toml says of it.
local INFO = {
  ["operation"] = function(byte) return OPERATION[byte:uint()] end,
  ["kind"] = function(byte) return KIND[byte:uint()] end,
  ["abort reason"] = function(byte) return ABORT_REASON[byte:uint()] end,
  ["malformed reason"] = function(byte) return MALFORMED_REASON[byte:uint()] end,
  ["abort reason [7:2], outcome [1:0]"] = outcome_and_reason,
}

-- What the value of an event is called: of frames that depends on the operation.
local function value_name(event, info)
  if not event.value or not event.value:find(";") then
    return event.value
  elseif OPERATION[info] == "NOP" then
    return event.name == "RECEIVED" and "operand" or "beat"
  end
  return CARRIES[info] == "sync" and "challenge counter" or "id"
end

local function show_step(tree, word)
  local info, value = word(3, 1):uint(), word(4, 4):uint()
  local event = EVENT[word(0, 1):uint()]
  tree:add(e.event, word(0, 1))
  tree:add(e.slot, word(1, 1))
  local from, to = tree:add(e.from, word(2, 1)), tree:add(e.to, word(2, 1))
  local info_item = tree:add(e.info, word(3, 1))
  local value_item = tree:add(e.value, word(4, 4))
  if not event then
    return "event " .. word(0, 1):uint()
  end
  local summary = event.name
  local info_text = INFO[event.info] and INFO[event.info](word(3, 1))
  if info_text then
    info_item:append_text(" (" .. info_text .. ")")
    summary = summary .. " " .. info_text
  end
  local named = value_name(event, info)
  if named then
    value_item:append_text(" (" .. named .. ")")
    summary = summary .. " " .. named .. " " .. value
    if named == "id" or named == "tag" or named == "epoch" then
      local range = named == "tag" and word(6, 2) or word(4, 4)
      tree:add(e[named], range):set_generated()
    end
  end
  local states = event.states == "state" and STATE or event.states == "link_state" and LINK_STATE
  if states then
    local before, after = word(2, 1):bitfield(0, 4), word(2, 1):bitfield(4, 4)
    from:append_text(" (" .. (states[before] or "?") .. ")")
    to:append_text(" (" .. (states[after] or "?") .. ")")
    if before ~= after then
      summary = summary .. ", " .. (states[before] or "?") .. " to " .. (states[after] or "?")
    end
  end
  return summary
end

-- Shows fields and tail of a packet, and tells what it says; nil if bytes are missing.
local function show_body(tree, tvb, kind)
  local words, offset = {}, HEAD_BYTES
  for _, row in ipairs(kind.fields) do
    if offset + row.bytes > tvb:len() then
      return nil
    end
    local range = tvb(offset, row.bytes)
    local item = tree:add(e[row.name], range)
    if kind.name == "STEP" then
      return show_step(item, range)
    end
    words[#words + 1] = row.name:gsub("_", " ") .. " " .. text_of(row.name, range)
    offset = offset + row.bytes
  end
  if kind.tail == "record" then
    words[#words + 1] = tvb:reported_len() - offset .. " bytes"
  end
  if kind.tail and offset < tvb:len() then
    tree:add(e[kind.tail], tvb(offset))
    if kind.tail == "text" then
      words[#words + 1] = tvb(offset):string()
    end
  end
  return kind.name .. " " .. table.concat(words, ", ")
end

local function count_lost(pinfo, sequence)
  if not lost[pinfo.number] then
    lost[pinfo.number] = next_sequence and math.max(0, sequence - next_sequence) or 0
    next_sequence = sequence + 1
  end
  return lost[pinfo.number]
end

function evidence.dissector(tvb, pinfo, tree)
  pinfo.cols.protocol = "OAE evidence"
  local subtree = tree:add(evidence, tvb())
  if tvb:len() < HEAD_BYTES then
    subtree:add_proto_expert_info(too_short)
    pinfo.cols.info = "cut short"
    return
  end
  local head = {}
  for _, row in ipairs(EVIDENCE_HEAD) do
    local range = tvb(row.offset, row.bytes)
    subtree:add(e[row.name], range)
    head[row.name] = range
  end
  local missing = count_lost(pinfo, head.sequence:uint())
  if missing > 0 then
    subtree:add(e.lost, missing):set_generated():add_proto_expert_info(packets_lost)
  end
  local kind = EVIDENCE[head.type:uint()]
  local summary = kind and show_body(subtree, tvb, kind)
  if not kind then
    subtree:add_proto_expert_info(unknown_type)
    summary = "type " .. head.type:uint()
  elseif not summary then
    subtree:add_proto_expert_info(too_short)
    summary = kind.name .. ", cut short"
  end
  summary = text_of("end", head["end"]) .. " " .. summary
  pinfo.cols.info = summary
  subtree:append_text(", " .. summary)
end

DissectorTable.get("wtap_encap"):add(wtap_encaps.USER0, evidence)
