"""Generated from host/oae/spec/link.toml by `make generate`; do not edit."""

from enum import IntEnum
from typing import Final

PROTOCOL_VERSION: Final = 1
REGISTER_MAP: Final = 1
ETHERTYPE: Final = 0x88B5
HEADER_BYTES: Final = 32
MINIMUM_FRAME_BYTES: Final = 60
LENGTH_BASE: Final = 13
SYNC_RECORD_BYTES: Final = 32
BEAT_NUMBER_BITS: Final = 15
WINDOW_MAX: Final = 64
BOARD_REGISTER_MAP: Final = 1
SERIAL_READ_MAX: Final = 60


class Operation(IntEnum):
    """Codes of `operation` in link.toml."""

    NOP = 0
    DATA = 1
    ACK = 2
    REQ = 3
    RSP = 4
    SYNC = 5
    SYNC_ACK = 6
    RESET = 7
    COMMIT = 8
    DONE = 9
    JAM = 12
    BEACON = 14
    ABORTED = 22
    ABORT = 23


class Balance(IntEnum):
    """Codes of `balance` in link.toml."""

    MINUS_INFINITY = 0
    MINUS_ONE = 1
    MINUS_ZERO = 2
    PLUS_ZERO = 3
    PLUS_ONE = 4
    PLUS_INFINITY = 5


class Kind(IntEnum):
    """Codes of `kind` in link.toml."""

    DATA = 0
    EPOCH_ADVANCE = 1


class State(IntEnum):
    """Codes of `state` in link.toml."""

    IDLE = 0
    TENTATIVE = 1
    REFLECTING = 2
    COMMITTED = 3
    REVERSING = 4
    ABORTED = 5


class LinkState(IntEnum):
    """Codes of `link_state` in link.toml."""

    DOWN = 0
    SYNCING = 1
    UP = 2
    FAULT = 3


class Outcome(IntEnum):
    """Codes of `outcome` in link.toml."""

    COMMITTED = 1
    ABORTED = 2
    UNKNOWN = 3


class AbortReason(IntEnum):
    """Codes of `abort_reason` in link.toml."""

    NONE = 0
    REQUESTED = 1
    REFUSED = 2
    EPOCH = 3
    NOT_PREPARED = 4
    PEER_LOST_MEMORY = 5
    RECORD_TOO_LONG = 6
    RECORD_INVALID = 7


class MalformedReason(IntEnum):
    """Codes of `malformed_reason` in link.toml."""

    BAD_FROM_MAC = 1
    TOO_SHORT = 2
    UNKNOWN_OPERATION = 3
    WRONG_BALANCE = 4
    UNKNOWN_KIND = 5
    BAD_LENGTH = 6
    BAD_GUARD = 7
    WRONG_LINK_SESSION = 8
    WRONG_DIGEST = 9


class Channel(IntEnum):
    """Codes of `channel` in link.toml."""

    POWER = 0
    TRANSMIT = 1
    RECEIVE = 2
    INITIATOR = 3
    RESPONDER = 4
    LINK = 5


class EventCode(IntEnum):
    """Codes of `event` in link.toml."""

    CRASH = 1
    AMNESIA = 2
    SENT = 16
    RECEIVED = 32
    MALFORMED = 33
    FOREIGN = 34
    UNSUPPORTED = 35
    NOT_UP = 36
    OPENED = 48
    REFLECTION_HEARD = 49
    DECIDED = 50
    MISMATCHED = 51
    CANCELLED = 52
    ABORT_CONFIRMED = 53
    DONE_HEARD = 54
    REFLECTION_REPEATED = 55
    RETRIED = 56
    RESENT = 57
    TOLD = 58
    ANSWER_IGNORED = 59
    INITIATOR_VIOLATION = 60
    CANCEL_IGNORED = 61
    UNOPENED_TOLD = 62
    RECORD_DISCARDED = 63
    HELD = 64
    REFLECTED = 65
    REFUSED = 66
    COMMIT_HEARD = 67
    DELIVERED = 68
    SKIPPED = 69
    REVERSED = 70
    ABORT_RECORDED = 71
    ANSWER_REPEATED = 72
    DELIVERY_AWAITED = 73
    BEYOND_WINDOW = 74
    BELOW_WINDOW = 75
    COMMIT_IGNORED = 76
    RESPONDER_VIOLATION = 77
    DOUBTED = 78
    ENABLED = 80
    DISABLED = 81
    SYNC_HEARD = 82
    SYNC_ACK_HEARD = 83
    SYNC_ACK_STALE = 84
    LOOPBACK = 85
    FOREIGN_SESSION = 86
    SYNC_DUE = 87
    INCOMING_DEAD = 88
    OUTGOING_DEAD = 89
    SESSION_ADOPTED = 90
    PAIR_VIOLATION = 91
    EPOCH_TAKEN = 92


class Evidence(IntEnum):
    """Codes of `evidence` in link.toml."""

    PARAMETER = 0
    STEP = 1
    SUBMIT = 2
    DELIVER = 3
    COMPLETE = 4
    DOUBT = 5
    CANCEL = 6
    POWER = 7
    CONFIG = 8
    STATUS = 9
    CUT = 10
    RULE = 11
    STOP = 12
    REGISTER = 13
    FATE = 14
    END = 15


class BoardControl(IntEnum):
    """Codes of `board_control` in link.toml."""

    ENABLE = 0
    BEATS = 1
    ACCEPT = 2
    INTERNAL_HOST = 3
    LOOPBACK = 4
    CHECK = 5


class Injection(IntEnum):
    """Codes of `injection` in link.toml."""

    NONE = 0
    DROP = 1
    CORRUPT = 2
    DUPLICATE = 3


class SerialOperation(IntEnum):
    """Codes of `serial_operation` in link.toml."""

    READ = 1
    WRITE = 2


class SerialStatus(IntEnum):
    """Codes of `serial_status` in link.toml."""

    OK = 0
    BAD_REQUEST = 1
    NO_REGISTER = 2
    READ_ONLY = 3


BALANCE_OF: Final = {
    Operation.NOP: Balance.PLUS_ZERO,
    Operation.DATA: Balance.PLUS_ONE,
    Operation.ACK: Balance.PLUS_ZERO,
    Operation.REQ: Balance.MINUS_ONE,
    Operation.RSP: Balance.PLUS_ZERO,
    Operation.SYNC: Balance.PLUS_ZERO,
    Operation.SYNC_ACK: Balance.MINUS_ZERO,
    Operation.RESET: Balance.PLUS_ZERO,
    Operation.COMMIT: Balance.PLUS_ONE,
    Operation.DONE: Balance.MINUS_ZERO,
    Operation.JAM: Balance.MINUS_ZERO,
    Operation.BEACON: Balance.PLUS_ZERO,
    Operation.ABORTED: Balance.PLUS_ZERO,
    Operation.ABORT: Balance.PLUS_ZERO,
}
CARRIES_GUARD: Final = frozenset(
    {
        Operation.NOP,
        Operation.ACK,
        Operation.COMMIT,
        Operation.DONE,
        Operation.ABORTED,
        Operation.ABORT,
    }
)
CARRIES_RECORD: Final = frozenset({Operation.DATA})
CARRIES_SYNC: Final = frozenset(
    {
        Operation.SYNC,
        Operation.SYNC_ACK,
    }
)
CARRIES_NOTHING: Final = frozenset(
    {
        Operation.REQ,
        Operation.RSP,
        Operation.RESET,
        Operation.JAM,
        Operation.BEACON,
    }
)
CHANNEL_OF: Final = {
    EventCode.CRASH: Channel.POWER,
    EventCode.AMNESIA: Channel.POWER,
    EventCode.SENT: Channel.TRANSMIT,
    EventCode.RECEIVED: Channel.RECEIVE,
    EventCode.MALFORMED: Channel.RECEIVE,
    EventCode.FOREIGN: Channel.RECEIVE,
    EventCode.UNSUPPORTED: Channel.RECEIVE,
    EventCode.NOT_UP: Channel.RECEIVE,
    EventCode.OPENED: Channel.INITIATOR,
    EventCode.REFLECTION_HEARD: Channel.INITIATOR,
    EventCode.DECIDED: Channel.INITIATOR,
    EventCode.MISMATCHED: Channel.INITIATOR,
    EventCode.CANCELLED: Channel.INITIATOR,
    EventCode.ABORT_CONFIRMED: Channel.INITIATOR,
    EventCode.DONE_HEARD: Channel.INITIATOR,
    EventCode.REFLECTION_REPEATED: Channel.INITIATOR,
    EventCode.RETRIED: Channel.INITIATOR,
    EventCode.RESENT: Channel.INITIATOR,
    EventCode.TOLD: Channel.INITIATOR,
    EventCode.ANSWER_IGNORED: Channel.INITIATOR,
    EventCode.INITIATOR_VIOLATION: Channel.INITIATOR,
    EventCode.CANCEL_IGNORED: Channel.INITIATOR,
    EventCode.UNOPENED_TOLD: Channel.INITIATOR,
    EventCode.RECORD_DISCARDED: Channel.INITIATOR,
    EventCode.HELD: Channel.RESPONDER,
    EventCode.REFLECTED: Channel.RESPONDER,
    EventCode.REFUSED: Channel.RESPONDER,
    EventCode.COMMIT_HEARD: Channel.RESPONDER,
    EventCode.DELIVERED: Channel.RESPONDER,
    EventCode.SKIPPED: Channel.RESPONDER,
    EventCode.REVERSED: Channel.RESPONDER,
    EventCode.ABORT_RECORDED: Channel.RESPONDER,
    EventCode.ANSWER_REPEATED: Channel.RESPONDER,
    EventCode.DELIVERY_AWAITED: Channel.RESPONDER,
    EventCode.BEYOND_WINDOW: Channel.RESPONDER,
    EventCode.BELOW_WINDOW: Channel.RESPONDER,
    EventCode.COMMIT_IGNORED: Channel.RESPONDER,
    EventCode.RESPONDER_VIOLATION: Channel.RESPONDER,
    EventCode.DOUBTED: Channel.RESPONDER,
    EventCode.ENABLED: Channel.LINK,
    EventCode.DISABLED: Channel.LINK,
    EventCode.SYNC_HEARD: Channel.LINK,
    EventCode.SYNC_ACK_HEARD: Channel.LINK,
    EventCode.SYNC_ACK_STALE: Channel.LINK,
    EventCode.LOOPBACK: Channel.LINK,
    EventCode.FOREIGN_SESSION: Channel.LINK,
    EventCode.SYNC_DUE: Channel.LINK,
    EventCode.INCOMING_DEAD: Channel.LINK,
    EventCode.OUTGOING_DEAD: Channel.LINK,
    EventCode.SESSION_ADOPTED: Channel.LINK,
    EventCode.PAIR_VIOLATION: Channel.LINK,
    EventCode.EPOCH_TAKEN: Channel.LINK,
}
EVENT_STATES: Final = {
    EventCode.OPENED: "state",
    EventCode.REFLECTION_HEARD: "state",
    EventCode.DECIDED: "state",
    EventCode.MISMATCHED: "state",
    EventCode.CANCELLED: "state",
    EventCode.ABORT_CONFIRMED: "state",
    EventCode.DONE_HEARD: "state",
    EventCode.REFLECTION_REPEATED: "state",
    EventCode.RETRIED: "state",
    EventCode.TOLD: "state",
    EventCode.HELD: "state",
    EventCode.REFLECTED: "state",
    EventCode.REFUSED: "state",
    EventCode.COMMIT_HEARD: "state",
    EventCode.DELIVERED: "state",
    EventCode.REVERSED: "state",
    EventCode.ABORT_RECORDED: "state",
    EventCode.ANSWER_REPEATED: "state",
    EventCode.DELIVERY_AWAITED: "state",
    EventCode.DOUBTED: "state",
    EventCode.ENABLED: "link_state",
    EventCode.DISABLED: "link_state",
    EventCode.SYNC_HEARD: "link_state",
    EventCode.SYNC_ACK_HEARD: "link_state",
    EventCode.SYNC_ACK_STALE: "link_state",
    EventCode.LOOPBACK: "link_state",
    EventCode.FOREIGN_SESSION: "link_state",
    EventCode.SYNC_DUE: "link_state",
    EventCode.INCOMING_DEAD: "link_state",
    EventCode.OUTGOING_DEAD: "link_state",
    EventCode.SESSION_ADOPTED: "link_state",
    EventCode.PAIR_VIOLATION: "link_state",
    EventCode.EPOCH_TAKEN: "link_state",
}
# (name, event code, code in info or None, mask on info), in register order.
COUNTERS: Final[tuple[tuple[str, int, int | None, int], ...]] = (
    ("CRASH", 0x01, None, 0x00),
    ("AMNESIA", 0x02, None, 0x00),
    ("SENT_NOP", 0x10, 0, 0xFF),
    ("SENT_DATA", 0x10, 1, 0xFF),
    ("SENT_ACK", 0x10, 2, 0xFF),
    ("SENT_SYNC", 0x10, 5, 0xFF),
    ("SENT_SYNC_ACK", 0x10, 6, 0xFF),
    ("SENT_COMMIT", 0x10, 8, 0xFF),
    ("SENT_DONE", 0x10, 9, 0xFF),
    ("SENT_ABORTED", 0x10, 22, 0xFF),
    ("SENT_ABORT", 0x10, 23, 0xFF),
    ("RECEIVED_NOP", 0x20, 0, 0xFF),
    ("RECEIVED_DATA", 0x20, 1, 0xFF),
    ("RECEIVED_ACK", 0x20, 2, 0xFF),
    ("RECEIVED_SYNC", 0x20, 5, 0xFF),
    ("RECEIVED_SYNC_ACK", 0x20, 6, 0xFF),
    ("RECEIVED_COMMIT", 0x20, 8, 0xFF),
    ("RECEIVED_DONE", 0x20, 9, 0xFF),
    ("RECEIVED_ABORTED", 0x20, 22, 0xFF),
    ("RECEIVED_ABORT", 0x20, 23, 0xFF),
    ("MALFORMED_BAD_FROM_MAC", 0x21, 1, 0xFF),
    ("MALFORMED_TOO_SHORT", 0x21, 2, 0xFF),
    ("MALFORMED_UNKNOWN_OPERATION", 0x21, 3, 0xFF),
    ("MALFORMED_WRONG_BALANCE", 0x21, 4, 0xFF),
    ("MALFORMED_UNKNOWN_KIND", 0x21, 5, 0xFF),
    ("MALFORMED_BAD_LENGTH", 0x21, 6, 0xFF),
    ("MALFORMED_BAD_GUARD", 0x21, 7, 0xFF),
    ("MALFORMED_WRONG_LINK_SESSION", 0x21, 8, 0xFF),
    ("MALFORMED_WRONG_DIGEST", 0x21, 9, 0xFF),
    ("FOREIGN", 0x22, None, 0x00),
    ("UNSUPPORTED", 0x23, None, 0x00),
    ("NOT_UP", 0x24, None, 0x00),
    ("OPENED", 0x30, None, 0x00),
    ("REFLECTION_HEARD", 0x31, None, 0x00),
    ("DECIDED", 0x32, None, 0x00),
    ("MISMATCHED", 0x33, None, 0x00),
    ("CANCELLED", 0x34, None, 0x00),
    ("ABORT_CONFIRMED", 0x35, None, 0x00),
    ("DONE_HEARD", 0x36, None, 0x00),
    ("REFLECTION_REPEATED", 0x37, None, 0x00),
    ("RETRIED", 0x38, None, 0x00),
    ("RESENT", 0x39, None, 0x00),
    ("TOLD_COMMITTED", 0x3A, 1, 0x03),
    ("TOLD_ABORTED", 0x3A, 2, 0x03),
    ("TOLD_UNKNOWN", 0x3A, 3, 0x03),
    ("ANSWER_IGNORED", 0x3B, None, 0x00),
    ("INITIATOR_VIOLATION", 0x3C, None, 0x00),
    ("CANCEL_IGNORED", 0x3D, None, 0x00),
    ("UNOPENED_TOLD", 0x3E, None, 0x00),
    ("RECORD_DISCARDED", 0x3F, None, 0x00),
    ("HELD", 0x40, None, 0x00),
    ("REFLECTED", 0x41, None, 0x00),
    ("REFUSED_REFUSED", 0x42, 2, 0xFF),
    ("REFUSED_EPOCH", 0x42, 3, 0xFF),
    ("REFUSED_NOT_PREPARED", 0x42, 4, 0xFF),
    ("COMMIT_HEARD", 0x43, None, 0x00),
    ("DELIVERED", 0x44, None, 0x00),
    ("SKIPPED", 0x45, None, 0x00),
    ("REVERSED", 0x46, None, 0x00),
    ("ABORT_RECORDED", 0x47, None, 0x00),
    ("ANSWER_REPEATED", 0x48, None, 0x00),
    ("DELIVERY_AWAITED", 0x49, None, 0x00),
    ("BEYOND_WINDOW", 0x4A, None, 0x00),
    ("BELOW_WINDOW", 0x4B, None, 0x00),
    ("COMMIT_IGNORED", 0x4C, None, 0x00),
    ("RESPONDER_VIOLATION", 0x4D, None, 0x00),
    ("DOUBTED", 0x4E, None, 0x00),
    ("ENABLED", 0x50, None, 0x00),
    ("DISABLED", 0x51, None, 0x00),
    ("SYNC_HEARD", 0x52, None, 0x00),
    ("SYNC_ACK_HEARD", 0x53, None, 0x00),
    ("SYNC_ACK_STALE", 0x54, None, 0x00),
    ("LOOPBACK", 0x55, None, 0x00),
    ("FOREIGN_SESSION", 0x56, None, 0x00),
    ("SYNC_DUE", 0x57, None, 0x00),
    ("INCOMING_DEAD", 0x58, None, 0x00),
    ("OUTGOING_DEAD", 0x59, None, 0x00),
    ("SESSION_ADOPTED", 0x5A, None, 0x00),
    ("PAIR_VIOLATION", 0x5B, None, 0x00),
    ("EPOCH_TAKEN", 0x5C, None, 0x00),
)
FIELD: Final = {
    "DESTINATION": (0, 6),
    "SOURCE": (6, 6),
    "ETHERTYPE": (12, 2),
    "OPERATION": (14, 1),
    "ID_LOW": (15, 2),
    "LENGTH": (17, 2),
    "LINK_SESSION": (19, 4),
    "KIND": (23, 1),
    "ID_HIGH": (24, 2),
    "EPOCH": (26, 2),
    "DIGEST": (28, 4),
    "OPERAND": (32, 4),
    "GUARD_ZERO": (36, 2),
    "GUARD": (38, 22),
}
SYNC_FIELD: Final = {
    "SESSION": (0, 8),
    "VERIFIED": (8, 8),
    "CHALLENGER": (16, 8),
    "COUNTER": (24, 4),
    "RECORD_MAX": (28, 2),
    "WINDOW": (30, 1),
    "ZERO": (31, 1),
}
EVIDENCE_HEAD: Final = {
    "VERSION": (0, 1),
    "TYPE": (1, 1),
    "END": (2, 1),
    "CHANNEL": (3, 1),
    "SEQUENCE": (4, 4),
    "CYCLE": (8, 8),
}
# Bytes of each field after the head, in their order.
EVIDENCE_FIELDS: Final[dict[Evidence, dict[str, int]]] = {
    Evidence.PARAMETER: {},
    Evidence.STEP: {"WORD": 8},
    Evidence.SUBMIT: {"FIRST": 8, "TAG": 2, "KIND": 1, "FLAGS": 1},
    Evidence.DELIVER: {"FIRST": 8, "ID": 4, "FLAGS": 1},
    Evidence.COMPLETE: {"ID": 4, "TAG": 2, "KIND": 1, "OUTCOME": 1, "REASON": 1},
    Evidence.DOUBT: {"ID": 4, "DIGEST": 4},
    Evidence.CANCEL: {"TAG": 2},
    Evidence.POWER: {"CRASH": 1, "AMNESIA": 1},
    Evidence.CONFIG: {
        "ENABLE": 1,
        "BEATS": 1,
        "ACCEPT": 1,
        "SESSION": 8,
        "EPOCH": 4,
        "PREPARED": 4,
    },
    Evidence.STATUS: {
        "LINK_STATE": 1,
        "INCOMING": 1,
        "OUTGOING": 1,
        "CHANGING": 1,
        "EPOCH": 4,
        "CONVERGED": 4,
        "INITIATOR_BALANCE": 1,
        "RESPONDER_BALANCE": 1,
    },
    Evidence.CUT: {"CUT": 1},
    Evidence.RULE: {"NUMBER": 4},
    Evidence.STOP: {},
    Evidence.REGISTER: {"ADDRESS": 1, "VALUE": 4},
    Evidence.FATE: {"NUMBER": 4, "OPERATION": 1, "ID": 4, "COPY": 4, "FAULTS": 2, "RULE": 2},
    Evidence.END: {},
}
REGISTER: Final = {
    "IDENTITY": 0x00,
    "VERSION": 0x01,
    "PARAMETERS": 0x02,
    "STATUS": 0x03,
    "EPOCH": 0x04,
    "CONVERGED": 0x05,
    "NEXT_ID": 0x06,
    "DELIVER_POINTER": 0x07,
    "BALANCE": 0x08,
    "NEGOTIATED": 0x09,
    "COUNTERS": 0x40,
}
BOARD_REGISTER: Final = {
    "BOARD_VERSION": 0x100,
    "SCRATCH": 0x101,
    "BUILD_HASH_HIGH": 0x102,
    "BUILD_HASH_LOW": 0x103,
    "CLOCK_HZ": 0x104,
    "CYCLES_LOW": 0x105,
    "CYCLES_HIGH": 0x106,
    "WRITES": 0x107,
    "CONTROL": 0x108,
    "RESTART": 0x109,
    "SESSION_HIGH": 0x10A,
    "SESSION_LOW": 0x10B,
    "WANTED_EPOCH": 0x10C,
    "PREPARED": 0x10D,
    "DESTINATION_HIGH": 0x10E,
    "DESTINATION_LOW": 0x10F,
    "SOURCE_HIGH": 0x110,
    "SOURCE_LOW": 0x111,
    "GENERATOR_COUNT": 0x112,
    "GENERATOR_SIZES": 0x113,
    "GENERATOR_SEED": 0x114,
    "GENERATOR_START": 0x115,
    "GENERATOR_SUBMITTED": 0x116,
    "GENERATOR_COMMITTED": 0x117,
    "GENERATOR_ABORTED": 0x118,
    "GENERATOR_UNKNOWN": 0x119,
    "GENERATOR_LOST": 0x11A,
    "SINK_SEED": 0x11B,
    "SINK_DELIVERED": 0x11C,
    "SINK_WRONG": 0x11D,
    "SINK_NEXT": 0x11E,
    "INJECT": 0x11F,
    "INJECTED": 0x120,
    "TRACE_CONTROL": 0x121,
    "TRACE_COUNT": 0x122,
    "TRACE_LOST": 0x123,
    "BRIDGE_FRAMES": 0x124,
    "BRIDGE_REJECTED": 0x125,
    "BRIDGE_REPEATED": 0x126,
    "TRACE_ENTRY": 0x180,
}
BOARD_WRITABLE: Final = frozenset(
    {
        "SCRATCH",
        "CONTROL",
        "RESTART",
        "SESSION_HIGH",
        "SESSION_LOW",
        "WANTED_EPOCH",
        "PREPARED",
        "DESTINATION_HIGH",
        "DESTINATION_LOW",
        "SOURCE_HIGH",
        "SOURCE_LOW",
        "GENERATOR_COUNT",
        "GENERATOR_SIZES",
        "GENERATOR_SEED",
        "GENERATOR_START",
        "SINK_SEED",
        "INJECT",
        "TRACE_CONTROL",
    }
)
