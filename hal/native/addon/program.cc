#include "program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

namespace enigm {

namespace {

constexpr size_t kMaxOutput = 4 * 1024 * 1024;
// A pipe takes this much at once, so that the program may read its input when it likes.
constexpr size_t kMaxInput = 60 * 1024;
constexpr auto kTimeLimit = std::chrono::seconds(10);

struct Pipe {
  int read = -1;
  int write = -1;
  bool open() { return pipe2(ends(), O_CLOEXEC) == 0; }
  int *ends() {
    static_assert(sizeof(Pipe) == 2 * sizeof(int));
    return &read;
  }
  void closeRead() { close(read); }
  void closeWrite() { close(write); }
  ~Pipe() {
    closeRead();
    closeWrite();
  }

 private:
  static void close(int &end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
};

class Run : public Napi::AsyncWorker {
 public:
  Run(Napi::Env env, std::vector<std::string> words, std::string input)
      : AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), words_(std::move(words)), input_(std::move(input)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    Pipe in;
    Pipe out;
    if (!in.open() || !out.open()) return SetError(std::strerror(errno));
    const pid_t child = start(in, out);
    if (child < 0) return;
    in.closeRead();
    out.closeWrite();
    // Fits into the pipe; a program that ended without reading leaves SIGPIPE to be ignored, as Node has it.
    if (!input_.empty() && ::write(in.write, input_.data(), input_.size()) < 0 && errno != EPIPE) SetError(std::strerror(errno));
    in.closeWrite();
    const bool isInTime = collect(out.read);
    if (!isInTime) kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!isInTime) return SetError("did not end in time, or said too much");
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  void OnOK() override {
    auto result = Napi::Object::New(Env());
    result.Set("status", status_);
    result.Set("output", Napi::String::New(Env(), output_));
    deferred_.Resolve(result);
  }

  void OnError(const Napi::Error &error) override { deferred_.Reject(error.Value()); }

 private:
  pid_t start(const Pipe &in, const Pipe &out) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in.read, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out.write, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out.write, STDERR_FILENO);
    // Nothing of the hands' environment goes along; the libraries of these tools look for it.
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char locale[] = "LC_ALL=C";
    char *environment[] = {path, locale, nullptr};
    std::vector<char *> arguments;
    for (auto &word : words_) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t child = -1;
    const int failed = posix_spawn(&child, words_[0].c_str(), &actions, nullptr, arguments.data(), environment);
    posix_spawn_file_actions_destroy(&actions);
    if (failed == 0) return child;
    SetError(words_[0] + ": " + std::strerror(failed));
    return -1;
  }

  // False when the time is up or the output is too long.
  bool collect(int from) {
    const auto until = std::chrono::steady_clock::now() + kTimeLimit;
    char buffer[16 * 1024];
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
      pollfd waiting{from, POLLIN, 0};
      const int ready = left <= 0 ? 0 : poll(&waiting, 1, static_cast<int>(left));
      if (ready < 0 && errno == EINTR) continue;
      if (ready <= 0) return false;
      const ssize_t count = ::read(from, buffer, sizeof buffer);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return count == 0;
      if (output_.size() + static_cast<size_t>(count) > kMaxOutput) return false;
      output_.append(buffer, static_cast<size_t>(count));
    }
  }

  Napi::Promise::Deferred deferred_;
  std::vector<std::string> words_;
  std::string input_;
  std::string output_;
  int status_ = 0;
};

}  // namespace

Napi::Value run(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 2 || !info[0].IsArray() || !info[1].IsString()) throw Napi::TypeError::New(env, "run: words and input wanted");
  std::vector<std::string> words;
  const auto given = info[0].As<Napi::Array>();
  for (uint32_t index = 0; index < given.Length(); index += 1) words.push_back(given.Get(index).ToString());
  const bool isAllowed =
      !words.empty() && std::find(allowedPrograms.begin(), allowedPrograms.end(), words[0]) != allowedPrograms.end();
  if (!isAllowed) throw Napi::Error::New(env, "run: this program may not be started");
  std::string input = info[1].ToString();
  if (input.size() > kMaxInput) throw Napi::RangeError::New(env, "run: the input is too long");
  auto *worker = new Run(env, std::move(words), std::move(input));
  worker->Queue();
  return worker->promise();
}

}  // namespace enigm
