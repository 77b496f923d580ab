#include "worker.h"

#include <csignal>
#include <pthread.h>

namespace enigm {

Worker::Worker(std::function<void(std::unique_ptr<Job>)> deliver)
    : deliver_(std::move(deliver)), thread_([this] { run(); }) {}

void Worker::enqueue(std::unique_ptr<Job> job) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(job));
  changed_.notify_one();
}

std::deque<std::unique_ptr<Job>> Worker::finish(std::unique_ptr<Job> last) {
  const std::lock_guard lock(mutex_);
  std::deque<std::unique_ptr<Job>> waiting;
  waiting.swap(queue_);
  queue_.push_back(std::move(last));
  isEnding_ = true;
  changed_.notify_one();
  return waiting;
}

void Worker::stop() noexcept {
  if (!thread_.joinable()) return;
  std::deque<std::unique_ptr<Job>> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(queue_);
    isEnding_ = true;
    changed_.notify_one();
  }
  session_.interrupt();
  thread_.join();
}

void Worker::run() noexcept {
  // Signals are for the main thread.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  pthread_setname_np(pthread_self(), "tpm");
  for (;;) {
    std::unique_ptr<Job> job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return isEnding_ || !queue_.empty(); });
      if (queue_.empty()) break;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job->run(session_);
    deliver_(std::move(job));
  }
  session_.close();
}

}  // namespace enigm
