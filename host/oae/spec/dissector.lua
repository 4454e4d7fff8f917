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
