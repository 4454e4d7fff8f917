// The commands that an end takes as lines (docs/live.md); host/oae/drive/orders.py has the same.
#pragma once
#include <charconv>
#include <cstdint>
#include <cstring>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "end.h"

namespace oae {

class Control {
 public:
  std::function<void()> tell_statistics, stop;

  // `forms` is how commands are written, for those that are wrong.
  Control(End& end, Feed& feed, std::string forms) : end_(end), feed_(feed), forms_(std::move(forms)) {}

  // Does what the line says; what is wrong with it, and then nothing was done.
  std::string order(const std::string& line) {
    std::istringstream input(line);
    std::vector<std::string> words;
    for (std::string word; input >> word;) words.push_back(word);
    if (words.empty() || known(words)) return std::exchange(problem_, "");
    std::string shown;
    for (const char byte : line) shown += byte >= ' ' && byte <= '~' ? byte : '?';
    return '\'' + shown + "' is no command; there are " + forms_;
  }

 private:
  bool known(const std::vector<std::string>& words) {
    const std::string& name = words[0];
    const size_t count = words.size() - 1;
    uint32_t first = 1, second = 0;
    uint64_t mask = 0, match = 0;
    if (name == "load" && count == 0) {
      end_.load();
    } else if ((name == "crash" || name == "amnesia") && count <= 1) {
      if (count && (!number(words[1], first) || !first)) return false;
      end_.restart(name == "amnesia", first);
    } else if (name == "cancel" && count == 1) {
      if (!number(words[1], first) || first > UINT16_MAX) return false;
      end_.cancel(static_cast<uint16_t>(first));
    } else if (name == "epoch" && count == 2) {
      if (!number(words[1], first) || !number(words[2], second)) return false;
      end_.epochs(first, second);
    } else if (name == "watch" && count == 3) {
      if (!number(words[1], first) || !number(words[2], mask, 16) || !number(words[3], match, 16))
        return false;
      feed_.watches[first] = {mask, match};
    } else if (name == "statistics" && count == 0) {
      tell_statistics();
    } else if (name == "rotate" && count == 1) {
      rotate(words[1]);
    } else if (name == "stop" && count == 0) {
      stop();
    } else {
      const bool is_stall = name == "stall" && count == 2;
      if (!is_stall && count != 1) return false;
      const std::string& value = words.back();
      if (value != "on" && value != "off") return false;
      return end_.demand(is_stall ? name + ' ' + words[1] : name, value == "on");
    }
    return true;
  }

  void rotate(const std::string& path) {
    if (!feed_.capture) problem_ = "rotate: this end has no capture";
    else if (const int error = feed_.capture->rotate(path))
      problem_ = "rotate " + path + ": " + std::strerror(error);
  }

  template <class Number>
  static bool number(const std::string& text, Number& value, int base = 10) {
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc{} && rest == text.data() + text.size();
  }

  End& end_;
  Feed& feed_;
  const std::string forms_;
  std::string problem_;
};

}  // namespace oae
