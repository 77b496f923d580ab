// One thread and one queue for one TPM: an ESYS context may be used by one thread at a time, and a command may block.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "session.h"

namespace enigm {

class Job {
 public:
  virtual ~Job() = default;
  // On the worker thread.
  virtual void run(Session &session) noexcept = 0;
};

class Worker {
 public:
  // @param deliver called on the worker thread with every job that has run
  explicit Worker(std::function<void(std::unique_ptr<Job>)> deliver);
  ~Worker() { stop(); }
  Worker(const Worker &) = delete;
  Worker &operator=(const Worker &) = delete;

  void enqueue(std::unique_ptr<Job> job);
  // The last job: the thread ends after it. Returns the jobs that waited; the running one is finished first.
  std::deque<std::unique_ptr<Job>> finish(std::unique_ptr<Job> last);
  // Drop what waits, interrupt what runs, and wait for the thread; nothing of that is left after `finish`.
  void stop() noexcept;

 private:
  void run() noexcept;

  std::function<void(std::unique_ptr<Job>)> deliver_;
  Session session_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Job>> queue_;
  bool isEnding_ = false;
  std::thread thread_;  // last: it starts when all else is there
};

}  // namespace enigm
