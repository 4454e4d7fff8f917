// One end of a link as a process on a medium (docs/live.md): runs as many cycles of the model as there
// is work for, gives it a tick for each period of its clock, and sleeps when nothing is to do.
// host/oae/live starts it.
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <poll.h>
#include <string>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "control.h"
#include "end.h"
#include "job.h"
#include "options.h"
#include "serial.h"

namespace oae {

// The file from which signals are read. The model may have threads of its own, which must not take
// them: to be called before there are any.
int signals() {
  sigset_t taken;
  sigemptyset(&taken);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) sigaddset(&taken, number);
  sigprocmask(SIG_BLOCK, &taken, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC);
}

class Live {
 public:
  Live(End& end, Observed& observed, Serial* serial, int signals, const Options& options)
      : end_(end),
        feed_(observed.feed),
        serial_(serial),
        signals_(signals),
        control_(end, feed_, options.text("forms")),
        options_(options) {
    control_.tell_statistics = [this] { tell("statistics", statistics()); };
    control_.stop = [this] { is_stopped_ = true; };
  }

  // Until it is stopped; the capture is then whole.
  void run() {
    tell_ready();
    told_at_ = Clock::now();
    while (!is_stopped_) {
      work();
      tell_heard();
      if (!is_resolved_told_ && end_.resolved()) {
        is_resolved_told_ = true;
        tell("resolved", statistics());
      }
      if (Clock::now() - told_at_ >= kTellEvery) tell_progress();
      look_around();
    }
    end_.stop();
    feed_.medium->flush();
    if (feed_.capture) feed_.capture->finish();
    if (feed_.capture && feed_.capture->error())
      problem(std::string("the capture is cut off: ") + std::strerror(feed_.capture->error()));
    tell("stopped", statistics());
  }

 private:
  static constexpr int kCycles = 8;      // between looks at the medium
  static constexpr int kStretches = 16;  // of these between looks at everything else
  static constexpr int kSleep = 2;     // milliseconds
  static constexpr int kBehind = 4096;   // cycles; several windows of frames take as many
  static constexpr uint64_t kTellEvery = Clock::kSecond / 2;

  // Some cycles, if there is work for them.
  void work() {
    // After it was away, frames that wait come before ticks; not for ever, as they may not cease.
    if (end_.look()) behind_ = kBehind;
    for (int stretch = 0; stretch < kStretches; ++stretch) {
      feed_.medium->receive();
      if (!feed_.medium->waits() || end_.is_down()) behind_ = 0;
      for (int at = 0; at < kCycles && is_busy(); ++at) {
        end_.cycle(!behind_);
        if (behind_) --behind_;
      }
      feed_.medium->flush();
      if (!is_busy()) break;
    }
    if (serial_) serial_->write(end_.from_board);
    else end_.from_board.clear();
  }
  bool is_busy() {
    return !end_.quiet() || end_.due() || feed_.medium->waits();
  }

  // Medium, standard input, signals, terminal, and whether anybody listens still; waits for them if
  // there is no work.
  void look_around() {
    enum { kMedium, kInput, kSignals, kSerial, kOutput, kFiles };
    pollfd files[kFiles] = {{feed_.medium->file(), POLLIN, 0},
                            {is_input_ended_ ? -1 : STDIN_FILENO, POLLIN, 0},
                            {signals_, POLLIN, 0},
                            {serial_ ? serial_->file() : -1, POLLIN, 0},
                            {STDOUT_FILENO, 0, 0}};
    if (poll(files, kFiles, is_busy() ? 0 : kSleep) <= 0) return;
    if (files[kSignals].revents) take_signals();
    if (files[kSerial].revents & POLLIN) serial_->read(end_.to_board);
    if (files[kInput].revents) take_input();
    is_stopped_ |= files[kOutput].revents & POLLERR;
  }

  void take_signals() {
    signalfd_siginfo taken;
    while (read(signals_, &taken, sizeof taken) == sizeof taken) {
      const auto number = static_cast<int>(taken.ssi_signo);
      if (number == SIGUSR1 || number == SIGUSR2) end_.restart(number == SIGUSR2, 1);
      else is_stopped_ = true;
    }
  }

  void take_input() {
    char bytes[4096];
    const ssize_t size = read(STDIN_FILENO, bytes, sizeof bytes);
    if (size <= 0) {
      is_input_ended_ = true;
      is_stopped_ |= options_.has("ends_with_input");
      return;
    }
    input_.append(bytes, static_cast<size_t>(size));
    for (size_t end; (end = input_.find('\n')) != std::string::npos; input_.erase(0, end + 1))
      problem(control_.order(input_.substr(0, end)));
  }

  // --- what it tells

  Answer statistics() {
    static constexpr const char* kLinks[] = {"DOWN", "SYNCING", "UP", "FAULT"};
    Answer answer;
    answer.text("link", kLinks[static_cast<size_t>(end_.link())]);
    answer.number("submitted", uint64_t{end_.submitted()});
    answer.number("committed", feed_.outcomes[static_cast<size_t>(Outcome::COMMITTED)]);
    answer.number("aborted", feed_.outcomes[static_cast<size_t>(Outcome::ABORTED)]);
    answer.number("unknown", feed_.outcomes[static_cast<size_t>(Outcome::UNKNOWN)]);
    answer.number("delivered", feed_.delivered);
    answer.object("medium", feed_.medium->counters());
    answer.object("latency", feed_.latency.told());
    answer.number("cycles", end_.cycles());
    answer.number("ticks", end_.ticks());
    answer.number("processor_seconds", Clock::processor_seconds());
    return answer;
  }

  void tell_ready() {
    Answer answer;
    for (const char* key : {"end", "medium", "clock", "build"}) answer.text(key, options_.text(key));
    if (options_.has("serial")) answer.text("serial", options_.text("serial"));
    tell("ready", answer);
  }
  void tell_heard() {
    for (const Feed::Heard& heard : feed_.heard) {
      char word[17];
      std::snprintf(word, sizeof word, "%016llx", static_cast<unsigned long long>(heard.word));
      Answer answer;
      answer.number("number", uint64_t{heard.number});
      answer.text("word", word);
      answer.number("time", heard.time);
      tell("event", answer);
    }
    feed_.heard.clear();
  }
  void tell_progress() {
    told_at_ = Clock::now();
    if (feed_.capture) feed_.capture->flush();
    if (end_.loaded() && !is_resolved_told_) tell("progress", statistics());
  }
  void problem(const std::string& what) {
    if (what.empty()) return;
    Answer answer;
    answer.text("error", what);
    print(answer);
  }
  void tell(const char* name, const Answer& what) {
    Answer answer;
    answer.object(name, what);
    print(answer);
  }
  static void print(const Answer& answer) {
    std::fputs(answer.line().c_str(), stdout);
    std::fflush(stdout);
  }

  End& end_;
  Feed& feed_;
  Serial* serial_;
  const int signals_;
  Control control_;
  const Options& options_;
  std::string input_;  // that is not yet a line
  uint64_t told_at_ = 0;
  int behind_ = 0;  // cycles in which frames come before ticks
  bool is_stopped_ = false, is_input_ended_ = false, is_resolved_told_ = false;
};

}  // namespace oae

int main(int count, char** words) {
  const int signals = oae::signals();
  const oae::Options options(count, words);
  oae::Job job;
  std::ifstream file("/proc/self/fd/" + options.text("job"), std::ios::binary);
  if (!job.read(file) || !job.error.empty()) {
    std::fprintf(stderr, "oae: the schedule cannot be read: %s\n", job.error.c_str());
    return EXIT_FAILURE;
  }
  uint64_t entropy;
  if (getrandom(&entropy, sizeof entropy, 0) != sizeof entropy) return EXIT_FAILURE;
  const auto observed = std::make_unique<oae::Observed>();
  const int number = static_cast<int>(options.number("number"));
  oae::Feed& feed = observed->feed;
  feed.end = number;
  const int medium = static_cast<int>(options.number("medium_file"));
  feed.medium = std::make_unique<oae::Medium>(medium, options.text("medium"));
  if (options.has("capture_file")) {
    const int capture = static_cast<int>(options.number("capture_file"));
    feed.capture = std::make_unique<oae::Capture>(capture, options.bytes("capture_head"));
  }
  std::unique_ptr<oae::Serial> serial;
  if (options.has("serial_file")) {
    const int terminal = static_cast<int>(options.number("serial_file"));
    const auto speed = static_cast<speed_t>(options.number("speed"));
    serial = std::make_unique<oae::Serial>(terminal, speed, options.text("serial"));
  }
  const auto figure = [&](const char* key) { return static_cast<uint32_t>(options.number(key)); };
  const oae::End::Timing timing{figure("hz"), figure("nominal_hz"), figure("prescale")};
  const auto end =
      std::make_unique<oae::End>(job.schedule, number, timing, entropy, *observed);
  oae::Live(*end, *observed, serial.get(), signals, options).run();
  return EXIT_SUCCESS;
}
