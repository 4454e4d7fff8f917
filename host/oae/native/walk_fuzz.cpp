// Walks through many damaged captures: walk_fuzz SEED COUNT FILE...
//
// Each input is one of the files with a few mutations. It is walked whole and in pieces, each in
// memory of exactly its size, so that the address sanitizer sees every byte too many; both walks
// must tell the same. Exit code 1 and the number of the input if they do not.
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <tuple>

#include "walk.h"

using Bytes = std::vector<uint8_t>;
using Random = std::mt19937_64;

// What is told of one packet, wherever its chunk begins.
using Told = std::tuple<uint64_t, uint64_t, uint64_t, uint32_t, uint32_t, uint32_t, uint32_t, Bytes, Bytes>;

struct Result {
  std::vector<Told> packets;
  std::string damage;
  size_t interfaces = 0;
  bool operator==(const Result&) const = default;
};

static constexpr uint32_t EDGES[] = {0, 1, 2, 3, 4, 7, 8, 11, 12, 16, 28, 32, 0xFF, 0xFFFF, 0x10000, 1 << 24,
                                     0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFC, 0xFFFFFFFF,
                                     0x0A0D0D0A, 0x1A2B3C4D, 0xA1B2C3D4};

static uint32_t load(const uint8_t* at, bool swapped) {
  uint32_t value;
  memcpy(&value, at, 4);
  return swapped ? __builtin_bswap32(value) : value;
}

static void store(uint8_t* at, uint32_t value, bool swapped) {
  if (swapped) value = __builtin_bswap32(value);
  memcpy(at, &value, 4);
}

// Takes words out of one block of a pcapng file, or puts some in, so that its two lengths still fit.
static void resize_block(Bytes& input, Random& random) {
  std::vector<std::pair<size_t, bool>> blocks;
  bool swapped = false;
  for (size_t at = 0; at + 12 <= input.size();) {
    if (load(&input[at], false) == 0x0A0D0D0A) swapped = load(&input[at + 8], true) == 0x1A2B3C4D;
    const size_t length = load(&input[at + 4], swapped);
    if (length < 12 || length % 4 || length > input.size() - at) break;
    blocks.emplace_back(at, swapped);
    at += length;
  }
  if (blocks.empty()) return;
  const auto [at, order] = blocks[random() % blocks.size()];
  uint32_t length = load(&input[at + 4], order);
  const size_t body = length - 12, place = body ? random() % (body / 4 + 1) * 4 : 0;
  const size_t words = random() % 4 ? random() % 8 : body / 4;
  if (random() % 4) {
    const size_t count = std::min(4 * words, body - place);
    input.erase(input.begin() + at + 8 + place, input.begin() + at + 8 + place + count);
    length -= uint32_t(count);
  } else {
    input.insert(input.begin() + at + 8 + place, 4 * words, uint8_t(random()));
    length += uint32_t(4 * words);
  }
  store(&input[at + 4], length, order);
  store(&input[at + length - 4], length, order);
}

static void mutate(Bytes& input, Random& random) {
  const auto place = [&] { return random() % input.size(); };
  for (size_t i = 1 + random() % 4; i && !input.empty(); --i) switch (random() % 8) {
      case 0: input[place()] ^= 1 << random() % 8; break;
      case 1: input[place()] = uint8_t(random()); break;
      case 2: input.resize(place()); break;
      case 3: {  // a number at the edge, in either byte order
        uint32_t value = EDGES[random() % std::size(EDGES)];
        if (random() % 2) value = __builtin_bswap32(value);
        const size_t at = place() & ~size_t(3);
        memcpy(&input[at], &value, std::min<size_t>(4, input.size() - at));
        break;
      }
      case 4: {  // a part again
        const size_t from = place(), to = place(), count = std::min<size_t>(random() % 64, input.size() - from);
        const Bytes part(input.begin() + from, input.begin() + from + count);
        input.insert(input.begin() + to, part.begin(), part.end());
        break;
      }
      case 5: {
        const size_t from = place(), count = std::min<size_t>(random() % 64, input.size() - from);
        input.erase(input.begin() + from, input.begin() + from + count);
        break;
      }
      default: resize_block(input, random);
    }
}

// Walks the input in pieces of at most `piece` new bytes, telling at most `room` packets at once.
static Result walk(const Bytes& input, size_t piece, size_t room) {
  Result result;
  oae::Walk state;
  if (!state.begin(input.data(), std::min<size_t>(input.size(), 12))) return result;
  std::vector<oae::Packet> packets(room);
  size_t start = 0, end = 0;
  do {
    end = std::min(input.size(), end + piece);
    size_t found = room;
    while (found == room) {
      const Bytes chunk(input.begin() + start, input.begin() + end);
      size_t consumed = 0;
      found = state.walk(chunk.data(), chunk.size(), end == input.size(), packets.data(), room, &consumed);
      for (size_t i = 0; i < found; ++i) {
        const oae::Packet& p = packets[i];
        const auto part = [&](uint32_t from, uint32_t count) {
          return Bytes(&chunk[0] + from, &chunk[0] + from + count);
        };
        result.packets.emplace_back(p.time, p.number, p.index, p.original, p.flags, p.interface, p.dropped,
                                    part(p.offset, p.captured), part(p.comment, p.comment_bytes));
      }
      start += consumed;
    }
  } while (end < input.size() && !state.damaged());
  result.damage = state.damage;
  result.interfaces = state.interfaces.size();
  return result;
}

int main(int count, char** words) {
  if (count < 4) return 2;
  const uint64_t seed = std::stoull(words[1]), inputs = std::stoull(words[2]);
  std::vector<Bytes> files;
  for (int i = 3; i < count; ++i) {
    std::ifstream file(words[i], std::ios::binary);
    files.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  Random random(seed);
  uint64_t damaged = 0, packets = 0;
  for (uint64_t i = 0; i < inputs; ++i) {
    Bytes input = files[random() % files.size()];
    mutate(input, random);
    const Result whole = walk(input, input.size(), 1024);
    if (walk(input, 1 + random() % 256, 1 + random() % 8) != whole) {
      printf("input %llu is told otherwise in pieces\n", static_cast<unsigned long long>(i));
      return 1;
    }
    damaged += !whole.damage.empty();
    packets += whole.packets.size();
  }
  printf("%llu damaged, %llu packets\n", static_cast<unsigned long long>(damaged),
         static_cast<unsigned long long>(packets));
}
