// Makes items in a thread of its own, a few ahead of their use.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

namespace kexue::data {

// next() gives what `produce` returned, in order; nullopt once produce has
// returned nullopt. An exception of produce comes out of next() after the
// items made before it, and again on each later call. The destructor stops the
// thread and waits for the item it is making.
template <class T>
class Prefetcher final {
 public:
  using Produce = std::function<std::optional<T>()>;

  explicit Prefetcher(Produce produce, size_t capacity = 4)
      : produce_(std::move(produce)),
        capacity_(capacity == 0 ? 1 : capacity),
        worker_([this](std::stop_token stop) { run(stop); }) {}
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  std::optional<T> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !items_.empty() || finished_; });
    if (items_.empty()) {
      if (error_) std::rethrow_exception(error_);
      return std::nullopt;
    }
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return item;
  }

 private:
  void run(std::stop_token stop) {
    std::exception_ptr error;
    try {
      while (!stop.stop_requested()) {
        std::optional<T> item = produce_();
        std::unique_lock lock(mutex_);
        if (!item) break;
        const auto has_room = [this] { return items_.size() < capacity_; };
        if (!changed_.wait(lock, stop, has_room)) break;
        items_.push_back(std::move(*item));
        lock.unlock();
        changed_.notify_all();
      }
    } catch (...) {
      error = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex_);
      error_ = error;
      finished_ = true;
    }
    changed_.notify_all();
  }

  Produce produce_;
  size_t capacity_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<T> items_;
  std::exception_ptr error_;
  bool finished_ = false;
  std::jthread worker_;  // last: stops before the rest is destroyed
};

}  // namespace kexue::data
