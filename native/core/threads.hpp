// Threads that live as long as one call and are gone after it, so that a fork is always safe.
// A task may not start tasks of its own: an inner parallel_for runs in place. Which thread runs a task
// never changes what the task computes, so results do not depend on the number of threads.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/types.hpp"

namespace normball {

class Threads {
 public:
  // Where the system has no room for as many (a container's limit on processes or memory), fewer do the same work.
  explicit Threads(int count) {
    for (int t = 1; t < count && starts_worker(); ++t) {
    }
  }
  ~Threads() {
    {
      const std::scoped_lock lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  // as many as work, the caller included
  Index count() const { return static_cast<Index>(workers_.size()) + 1; }

  // Calls task(i) for each i < count. An exception ends what has not begun; the first one goes on to the caller.
  template <class Task>
  void parallel_for(Index count, const Task& task) {
    if (inside_ || workers_.empty() || count <= 1) {
      for (Index i = 0; i < count; ++i) task(i);
      return;
    }
    {
      const std::scoped_lock lock(mutex_);
      task_ = [&task](Index i) { task(i); };
      next_ = 0;
      count_ = count;
      busy_ = static_cast<Index>(workers_.size());
      ++round_;
    }
    wake_.notify_all();
    work();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  bool starts_worker() {
    try {
      workers_.emplace_back([this] { serve(); });
      return true;
    } catch (const std::exception&) {  // std::system_error or std::bad_alloc
      return false;
    }
  }
  void work() {
    inside_ = true;
    for (Index i = next_++; i < count_; i = next_++) {
      try {
        task_(i);
      } catch (...) {
        const std::scoped_lock lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
        next_ = count_;
      }
    }
    inside_ = false;
  }
  void serve() {
    Index seen = 0;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return closing_ || round_ != seen; });
        if (closing_) return;
        seen = round_;
      }
      work();
      const std::scoped_lock lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::function<void(Index)> task_;
  std::atomic<Index> next_{0};
  Index count_ = 0;
  Index busy_ = 0;
  Index round_ = 0;
  bool closing_ = false;
  std::exception_ptr failure_;
  static inline thread_local bool inside_ = false;
};

// Progress and Ctrl-C. Any thread may ask `stopped`; only the calling thread polls the outside world.
class Monitor {
 public:
  using Poll = std::function<bool(Index done, Index total)>;
  explicit Monitor(Poll poll) : poll_(std::move(poll)), caller_(std::this_thread::get_id()) {}

  bool stopped() {
    if (!stop_ && poll_ && std::this_thread::get_id() == caller_) {
      const auto now = std::chrono::steady_clock::now();
      if (now >= due_) {
        due_ = now + std::chrono::milliseconds(50);
        if (poll_(done_, total_)) stop_ = true;
      }
    }
    return stop_;
  }
  void stop() { stop_ = true; }
  void progress(Index done, Index total) {
    done_ = done;
    total_ = total;
    if (done == total) due_ = {};
    stopped();
  }

 private:
  Poll poll_;
  std::thread::id caller_;
  std::chrono::steady_clock::time_point due_{};
  std::atomic<bool> stop_{false};
  Index done_ = 0;
  Index total_ = 1;
};

}  // namespace normball
